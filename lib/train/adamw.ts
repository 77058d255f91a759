// AdamW with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2), as torch.optim.AdamW computes it, with
// gradient clipping and a linear schedule.
import type { NamedTensors } from '../model/bert/encoder';
import { tf, tidy } from '../model/tf';

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
    const squares = [...gradients.values()].map((g) => tf.sum(tf.square(g)));
    return Math.sqrt(tf.addN(squares).dataSync()[0]);
  });
}

/** One optimizer for one set of weights. */
export class AdamW {
  private readonly settings: AdamWSettings;
  private readonly moments = new Map<string, { m: tf.Tensor; v: tf.Tensor }>();
  private steps = 0;

  constructor(settings: Partial<AdamWSettings> = {}) {
    this.settings = { ...ADAMW_DEFAULTS, ...settings };
  }

  /**
   * Replaces each weight that has a gradient by its updated value, and disposes of the gradients.
   *
   * @returns the gradients' global norm before clipping
   */
  step(weights: NamedTensors, gradients: NamedTensors, learningRate: number): number {
    const { beta1, beta2, epsilon, weightDecay, maxGradNorm } = this.settings;
    const norm = globalNorm(gradients);
    const clip = Math.min(1, maxGradNorm / (norm + 1e-6));
    this.steps++;
    const correction1 = 1 - beta1 ** this.steps;
    const correction2 = Math.sqrt(1 - beta2 ** this.steps);
    for (const [name, gradient] of gradients) {
      const weight = weights.get(name)!;
      const old = this.moments.get(name);
      const next = tidy(() => {
        const g = clip < 1 ? tf.mul(gradient, clip) : gradient;
        const first = tf.mul(g, 1 - beta1);
        const second = tf.mul(tf.square(g), 1 - beta2);
        const m = old ? tf.add(tf.mul(old.m, beta1), first) : first;
        const v = old ? tf.add(tf.mul(old.v, beta2), second) : second;
        const denominator = tf.add(tf.mul(tf.sqrt(v), 1 / correction2), epsilon);
        const change = tf.mul(tf.div(m, denominator), learningRate / correction1);
        const kept = isDecayed(name) ? tf.mul(weight, 1 - learningRate * weightDecay) : weight;
        return { weight: tf.sub(kept, change), m, v };
      });
      tf.dispose(old ? [weight, gradient, old.m, old.v] : [weight, gradient]);
      weights.set(name, next.weight);
      this.moments.set(name, { m: next.m, v: next.v });
    }
    return norm;
  }

  /** Frees the moments' memory. */
  dispose(): void {
    for (const { m, v } of this.moments.values()) tf.dispose([m, v]);
    this.moments.clear();
  }
}
