// A TensorFlow variable: a tensor that is updated where it lies, by one multi-threaded kernel, instead of being made anew by a dozen operations.
import { runOp, runOpWithoutOutput, tf } from '../model/tf';

let made = 0;

/** Owns a buffer; {@link read} lends it without copying. A lent tensor must be disposed of before the next update, which would else copy. */
export class Variable {
  private readonly handle: tf.Tensor;

  /** Takes over `value`. */
  constructor(value: tf.Tensor) {
    this.handle = runOp(
      'VarHandleOp',
      [
        ['container', 'STRING', ''],
        ['shared_name', 'STRING', `finetune-embedding-${process.pid}-${made++}`],
        ['dtype', 'TYPE', 'FLOAT'],
        ['shape', 'SHAPE', value.shape],
      ],
      [],
    );
    tf.keep(this.handle);
    this.assign(value);
  }

  /** Replaces the value; takes it over. */
  assign(value: tf.Tensor): void {
    runOpWithoutOutput(
      'AssignVariableOp',
      [
        ['dtype', 'TYPE', 'FLOAT'],
        ['validate_shape', 'BOOL', false],
      ],
      [this.handle, value],
    );
    value.dispose();
  }

  /** The value now, without a copy. */
  read(): tf.Tensor {
    return runOp('ReadVariableOp', [['dtype', 'TYPE', 'FLOAT']], [this.handle]);
  }

  /**
   * One Adam update of this weight and its moments, in place (TensorFlow's ResourceApplyAdam with its bias correction switched off):
   * m += (g − m)(1 − β1), v += (g² − v)(1 − β2), w −= rate · m / (√v + ε).
   */
  applyAdam(
    m: Variable,
    v: Variable,
    gradient: tf.Tensor,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void {
    tf.tidy(() => {
      const scalars = [0, 0, rate, beta1, beta2, epsilon].map((value) => tf.scalar(value, 'float32'));
      runOpWithoutOutput(
        'ResourceApplyAdam',
        [
          ['T', 'TYPE', 'FLOAT'],
          ['use_locking', 'BOOL', false],
          ['use_nesterov', 'BOOL', false],
        ],
        [this.handle, m.handle, v.handle, ...scalars, gradient],
      );
    });
  }

  /** Frees the buffer. */
  dispose(): void {
    runOpWithoutOutput('DestroyResourceOp', [['ignore_lookup_error', 'BOOL', true]], [this.handle]);
    this.handle.dispose();
  }
}
