// What training moves: all weights as they are, or a few numbers that the weights are computed from.
import type { NamedTensors } from '../model/bert/encoder';

/** A way to write a model's weights as a function of trainable tensors. */
export interface Parameterization {
  /** What the optimizer updates, by name; it may replace the tensors in the map. */
  readonly trainables: NamedTensors;
  /** The chain rule: gradients of the encoder's weights → gradients of the trainables. Disposes of the former. */
  toTrainables(weightGradients: NamedTensors): NamedTensors;
  /** After a change of the trainables: the model's weights become what they now stand for. */
  updateWeights(): void;
  /** Frees everything but the model's weights, which stay as they are. */
  dispose(): void;
}
