// In: nothing. Out: what is written down of a run: its steps, its evaluations, and how it ended.

export interface StepReport {
  /** Counts from 1. */
  step: number;
  totalSteps: number;
  epoch: number;
  loss: number;
  learningRate: number;
  /** Global norm of the gradients before clipping. */
  gradNorm: number;
  milliseconds: number;
}

export interface EvaluationReport {
  /** Steps taken so far; 0 is the base model. */
  step: number;
  epoch: number;
  /** The number by which models are chosen, such as MAP@100. */
  score: number;
  /** Whether it is the best so far, and so what is kept. */
  isBest: boolean;
  milliseconds: number;
  /** All that was measured beside the score. */
  measured?: unknown;
}

export interface RunRecord {
  steps: StepReport[];
  evaluations: EvaluationReport[];
  /** The evaluation whose model is kept; undefined where none gave a number: then the last weights are kept. */
  best?: EvaluationReport;
  /** Whether the signal stopped it. */
  stopped: boolean;
  /** Why it ended early, where a loss or gradient was not finite. */
  failure?: Error;
}
