// In: weights, their gradients, a learning rate. Out: the weights after one step of AdamW with decoupled weight decay
// (Loshchilov & Hutter 2019, algorithm 2), as torch.optim.AdamW computes it, with gradient clipping.

import type { NamedTensors } from '../model/bert/encoder';
import { type StoredTensor, storedTensor } from '../model/safetensors';
import { runOp, runOpWithoutOutput, tf, tidy, type } from '../model/tf';

// The settings of sentence-transformers' fit().
const WEIGHT_DECAY = 0.01;
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
/** Gradients are scaled down to this global norm (Pascanu et al. 2013, algorithm 1). */
const MAX_GRAD_NORM = 1;

/** What a step multiplies a weight by, besides its update; biases and LayerNorm weights are not decayed. */
export const decayFactor = (name: string, learningRate: number): number =>
  name.includes('bias') || name.includes('LayerNorm') ? 1 : 1 - learningRate * WEIGHT_DECAY;

/** An optimizer's weights and moments, as `PART.NAME`, and the steps it has taken. */
export interface OptimizerState {
  tensors: Map<string, StoredTensor>;
  steps: number;
}

const PARTS = ['weight', 'm', 'v'] as const;

/** √Σ‖g‖² over all gradients. */
export function globalNorm(gradients: NamedTensors): number {
  return tidy(() => {
    // Σg² / 2 in one pass
    const halves = [...gradients.values()].map((g) => runOp('L2Loss', [type('T', 'FLOAT')], [g]));
    return Math.sqrt(2 * tf.addN(halves).dataSync()[0]);
  });
}

/**
 * Updates weights in place. It owns the weights it is given: it replaces each tensor in the map by one that lends its
 * variable's buffer, so that the map always holds the current values.
 */
export class AdamW {
  private readonly slots = new Map<string, Record<(typeof PARTS)[number], Variable>>();
  private steps = 0;

  constructor(private readonly weights: NamedTensors) {
    for (const [name, value] of weights) {
      const zeros = () => new Variable(tf.fill(value.shape, 0));
      const slot = { m: zeros(), v: zeros(), weight: new Variable(value) };
      weights.set(name, slot.weight.read());
      this.slots.set(name, slot);
    }
  }

  /**
   * One update of every weight that has a gradient; disposes of the gradients.
   *
   * @returns the gradients' global norm before clipping; if it is not finite, the weights stay as they are
   */
  step(gradients: NamedTensors, learningRate: number): number {
    const norm = globalNorm(gradients);
    if (!Number.isFinite(norm)) {
      tf.dispose([...gradients.values()]);
      return norm;
    }
    const clip = Math.min(1, MAX_GRAD_NORM / (norm + 1e-6)); // as torch.nn.utils.clip_grad_norm_
    this.steps++;
    const correction1 = 1 - BETA1 ** this.steps;
    const correction2 = Math.sqrt(1 - BETA2 ** this.steps);
    // m̂ / (√v̂ + ε) with bias-corrected moments is m / (√v + ε·c2) · c2 / c1: corrections are folded into rate and ε.
    const correction = correction2 / correction1;
    for (const [name, gradient] of gradients) {
      const { weight, m, v } = this.slots.get(name)!;
      const lent = this.weights.get(name)!;
      const decay = decayFactor(name, learningRate);
      lent.dispose();
      if (decay !== 1) weight.scale(decay, lent.shape[0]);
      const clipped = clip < 1 ? tf.mul(gradient, clip) : gradient;
      weight.applyAdam(m, v, clipped, learningRate * correction, EPSILON * correction2);
      this.weights.set(name, weight.read());
      tf.dispose([gradient, clipped]);
    }
    return norm;
  }

  /** All that the next steps depend on, as it is when a tensor's data are asked for: one at a time in memory. */
  save(): OptimizerState {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, slot] of this.slots) {
      for (const part of PARTS) {
        const { shape } = this.weights.get(name)!;
        const read = () => {
          const lent = slot[part].read();
          const numbers = lent.dataSync() as Float32Array;
          lent.dispose();
          return numbers;
        };
        tensors.set(`${part}.${name}`, storedTensor(shape, read));
      }
    }
    return { tensors, steps: this.steps };
  }

  /** Goes on from what {@link save} gave. */
  restore({ tensors, steps }: OptimizerState): void {
    this.steps = steps;
    for (const [name, slot] of this.slots) {
      this.weights.get(name)!.dispose();
      for (const part of PARTS) {
        const { data, shape } = tensors.get(`${part}.${name}`)!;
        slot[part].assign(tf.tensor(data, shape));
      }
      this.weights.set(name, slot.weight.read());
    }
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

/**
 * A TensorFlow variable: a tensor that is updated where it lies, by one multi-threaded kernel, instead of being made
 * anew by a dozen operations. It owns its buffer; {@link read} lends it without copying. A lent tensor must be disposed
 * of before the next update, which would else copy.
 */
class Variable {
  private static made = 0;
  private readonly handle: tf.Tensor;

  /** Takes over `value`. */
  constructor(value: tf.Tensor) {
    this.handle = runOp(
      'VarHandleOp',
      [
        ['shared_name', 'STRING', `finetune-embedding-${process.pid}-${Variable.made++}`],
        type('dtype', 'FLOAT'),
        ['shape', 'SHAPE', value.shape],
      ],
      [],
    );
    tf.keep(this.handle);
    this.assign(value);
  }

  /** Replaces the value; takes it over. */
  assign(value: tf.Tensor): void {
    runOpWithoutOutput('AssignVariableOp', [type('dtype', 'FLOAT')], [this.handle, value]);
    value.dispose();
  }

  /** The value now, without a copy. */
  read(): tf.Tensor {
    return runOp('ReadVariableOp', [type('dtype', 'FLOAT')], [this.handle]);
  }

  /** Multiplies all rows where they lie: new places each step would split the space that the next one needs. */
  scale(factor: number, rows: number): void {
    tf.tidy(() => {
      const inputs = [this.handle, tf.range(0, rows, 1, 'int32'), tf.scalar(factor, 'float32')];
      runOpWithoutOutput('ResourceScatterMul', [type('dtype', 'FLOAT'), type('Tindices', 'INT32')], inputs);
    });
  }

  /**
   * One Adam update of this weight and its moments, in place (TensorFlow's ResourceApplyAdam with its bias correction
   * switched off): m += (g − m)(1 − β1), v += (g² − v)(1 − β2), w −= rate · m / (√v + ε).
   */
  applyAdam(m: Variable, v: Variable, gradient: tf.Tensor, rate: number, epsilon: number): void {
    tf.tidy(() => {
      const scalars = [0, 0, rate, BETA1, BETA2, epsilon].map((value) => tf.scalar(value, 'float32'));
      const inputs = [this.handle, m.handle, v.handle, ...scalars, gradient];
      runOpWithoutOutput('ResourceApplyAdam', [type('T', 'FLOAT')], inputs);
    });
  }

  /** Frees the buffer. */
  dispose(): void {
    runOpWithoutOutput('DestroyResourceOp', [], [this.handle]);
    this.handle.dispose();
  }
}
