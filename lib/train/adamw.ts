// AdamW with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2), as torch.optim.AdamW computes it, with
// gradient clipping and a linear schedule.
import type { NamedTensors } from '../model/bert/encoder';
import { runOp, tf, tidy } from '../model/tf';
import { Variable } from './variable';

/** AdamW's settings; the defaults are the original recipe's. */
export interface AdamWSettings {
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Gradients are scaled down to this global norm (Pascanu et al. 2013, algorithm 1). */
  maxGradNorm: number;
}

/** The defaults of sentence-transformers' fit(). */
export const ADAMW_DEFAULTS: AdamWSettings = {
  weightDecay: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  maxGradNorm: 1,
};

/** Biases and LayerNorm weights are not decayed. */
const isDecayed = (name: string): boolean => !name.endsWith('.bias') && !name.includes('LayerNorm');

/** Learning-rate factor of a linear warm-up over `warmupSteps`, then linear decay to 0 at `totalSteps`; `step` counts from 0. */
export function linearSchedule(step: number, warmupSteps: number, totalSteps: number): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  return Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}

/** √Σ‖g‖² over all gradients. */
export function globalNorm(gradients: NamedTensors): number {
  return tidy(() => {
    const halves = [...gradients.values()].map((g) => runOp('L2Loss', [['T', 'TYPE', 'FLOAT']], [g])); // Σg² / 2 in one pass
    return Math.sqrt(2 * tf.addN(halves).dataSync()[0]);
  });
}

interface Slot {
  weight: Variable;
  m: Variable;
  v: Variable;
}

/**
 * Updates weights in place. It owns the weights it is given: it replaces each tensor in the map by one that lends its
 * variable's buffer, so that the map always holds the current values.
 */
export class AdamW {
  private readonly settings: AdamWSettings;
  private readonly slots = new Map<string, Slot>();
  private steps = 0;

  constructor(
    private readonly weights: NamedTensors,
    settings: Partial<AdamWSettings> = {},
  ) {
    this.settings = { ...ADAMW_DEFAULTS, ...settings };
  }

  /**
   * One update of every weight that has a gradient; disposes of the gradients.
   *
   * @returns the gradients' global norm before clipping; if it is not finite, the weights stay as they are
   */
  step(gradients: NamedTensors, learningRate: number): number {
    const { beta1, beta2, epsilon, maxGradNorm } = this.settings;
    const norm = globalNorm(gradients);
    if (!Number.isFinite(norm)) {
      tf.dispose([...gradients.values()]);
      return norm;
    }
    const clip = Math.min(1, maxGradNorm / (norm + 1e-6)); // as torch.nn.utils.clip_grad_norm_
    this.steps++;
    const correction1 = 1 - beta1 ** this.steps;
    const correction2 = Math.sqrt(1 - beta2 ** this.steps);
    // m̂ / (√v̂ + ε) with bias-corrected moments is m / (√v + ε·c2) · c2 / c1: the corrections are folded into rate and ε.
    const correction = correction2 / correction1;
    for (const [name, gradient] of gradients) {
      const slot = this.slot(name);
      const decay = this.decayFactor(name, learningRate);
      if (decay === 1) this.weights.get(name)?.dispose();
      else this.decay(name, slot.weight, decay);
      const clipped = clip < 1 ? tf.mul(gradient, clip) : gradient;
      slot.weight.applyAdam(slot.m, slot.v, clipped, learningRate * correction, beta1, beta2, epsilon * correction2);
      this.weights.set(name, slot.weight.read());
      tf.dispose([gradient, clipped]);
    }
    return norm;
  }

  private slot(name: string): Slot {
    let slot = this.slots.get(name);
    if (!slot) {
      const value = this.weights.get(name)!;
      const zeros = () => new Variable(tf.zeros(value.shape));
      slot = { weight: new Variable(value), m: zeros(), v: zeros() };
      this.weights.set(name, slot.weight.read());
      this.slots.set(name, slot);
    }
    return slot;
  }

  /** weight ← weight · factor; leaves no lent tensor behind. */
  private decay(name: string, variable: Variable, factor: number): void {
    const lent = this.weights.get(name)!;
    const decayed = tf.mul(lent, factor);
    lent.dispose();
    variable.assign(decayed);
  }

  /** What a step at this learning rate multiplies a weight by, besides its update. */
  decayFactor(name: string, learningRate: number): number {
    return isDecayed(name) ? 1 - learningRate * this.settings.weightDecay : 1;
  }

  /** Frees the moments and the variables; the weights stay in the map as ordinary tensors. */
  dispose(): void {
    for (const [name, { weight, m, v }] of this.slots) {
      const lent = this.weights.get(name)!;
      this.weights.set(name, tf.clone(lent));
      lent.dispose();
      for (const variable of [weight, m, v]) variable.dispose();
    }
    this.slots.clear();
  }
}
