// Question–chunk pairs and a frozen embedder → an adapter for its question vectors. All texts are embedded once; then a step is one small
// matrix product, and a run takes seconds.
import type { Embedder, Embeddings, Matrix } from '../common/matrix';
import { tf } from '../model/tf';
import { AdamW, linearSchedule } from '../train/adamw';
import { makeBatches, type TrainingBatch } from '../train/batches';
import { columnVectors } from '../train/embedding-gradient';
import { multipleNegativesRankingLoss } from '../train/ranking-loss';
import type { Recipe } from '../train/recipe';
import { type EvaluationReport, type TrainOptions, type TrainResult, warnWithoutBest } from '../train/train';
import { AdaptedEmbedder } from './adapter';

/** What {@link trainAdapter} needs. */
export interface AdapterOptions extends Pick<TrainOptions, 'data' | 'seed' | 'onStep' | 'onEvaluation' | 'signal'> {
  /** As for the whole model; a matrix bears a far higher learning rate, 1e-3 and above. Dropout does not apply. */
  recipe: Omit<Recipe, 'dropout' | 'windows'>;
  /** Scores the adapted embedder, higher is better: at the start, where the adapter changes nothing, and at each epoch's end. */
  evaluate?: (embedder: Embedder) => Promise<number>;
}

/** The adapted embedder with the best score (the last one without `evaluate`), and the run's record. */
export interface AdapterResult extends TrainResult {
  embedder: AdaptedEmbedder;
}

const WEIGHT = 'linear.weight';

/** Vectors of every text, by its id. */
interface Encoded {
  vectors: Matrix;
  rows: Map<string, number[]>;
}

function byId(ids: string[], { vectors, owners }: Embeddings): Encoded {
  const rows = new Map<string, number[]>(ids.map((id) => [id, []]));
  owners.forEach((owner, row) => {
    rows.get(ids[owner])!.push(row);
  });
  return { vectors, rows };
}

/**
 * Trains a linear adapter, from the identity, by the ranking loss that trains whole models.
 *
 * Use it where the model cannot be changed (OpenAI's, for one), where the corpus's vectors must stay as they are, or where seconds must do. It can
 * only turn and stretch the question vectors, so it gains less than training the model.
 *
 * @throws Error if the data has fewer than two chunks, or if the loss or its gradient stops being finite
 */
export async function trainAdapter(base: Embedder, options: AdapterOptions): Promise<AdapterResult> {
  const { data, recipe, seed, evaluate } = options;
  const epochOf = (epoch: number) => makeBatches(data, recipe.batching, recipe.batchSize, seed, epoch);
  if (new Set(Object.keys(data.queries).map((id) => data.relevantDocs[id]?.[0])).size < 2)
    throw new Error(
      'The training data has questions about fewer than 2 chunks; the loss compares chunks with each other.',
    );
  const queryVectors = await base.embedQueries(Object.values(data.queries));
  const owners = Int32Array.from({ length: queryVectors.rows }, (_, row) => row);
  const questions = byId(Object.keys(data.queries), { vectors: queryVectors, owners });
  const chunks = byId(Object.keys(data.corpus), await base.embedDocuments(Object.values(data.corpus)));

  const { rows, columns: dimensions } = queryVectors;
  const questionTable = tf.tensor2d(queryVectors.data, [rows, dimensions]);
  const chunkTable = tf.tensor2d(chunks.vectors.data, [chunks.vectors.rows, dimensions]);
  const trainables = new Map<string, tf.Tensor>([[WEIGHT, tf.eye(dimensions)]]);
  const optimizer = new AdamW(trainables);
  const totalSteps = epochOf(0).length * recipe.epochs;
  const warmupSteps = Math.floor(totalSteps * recipe.warmupRatio);

  const adapted = (): AdaptedEmbedder => {
    const weight = Float32Array.from(trainables.get(WEIGHT)!.dataSync());
    return new AdaptedEmbedder(base, { data: weight, rows: dimensions, columns: dimensions });
  };
  const result: AdapterResult = { steps: [], evaluations: [], stopped: false, embedder: adapted() };

  const evaluateNow = async (epoch: number) => {
    const embedder = adapted();
    if (!evaluate) {
      result.embedder = embedder;
      return;
    }
    const started = performance.now();
    const score = await evaluate(embedder);
    const isBest = result.best ? score > result.best.score : !Number.isNaN(score);
    const milliseconds = performance.now() - started;
    const report: EvaluationReport = { step: result.steps.length, epoch, score, isBest, milliseconds };
    if (isBest) result.best = report;
    if (isBest || !result.best) result.embedder = embedder;
    result.evaluations.push(report);
    options.onEvaluation?.(report);
  };

  const takeStep = (batch: TrainingBatch, epoch: number) => {
    const started = performance.now();
    const chunkRows = batch.chunkIds.map((id) => chunks.rows.get(id)!);
    const chunkOwners = Int32Array.from(chunkRows.flatMap((rows, chunk) => rows.map(() => chunk)));
    const { rows, lossBatch } = columnVectors({ batch, chunkOwners });
    const vectorRows = Array.from(rows, (row) => chunkRows.flat()[row]);
    const questionRows = batch.queryIds.map((id) => questions.rows.get(id)![0]);
    const { value, grad } = tf.tidy(() => {
      const asked = tf.gather(questionTable, tf.tensor1d(questionRows, 'int32')) as tf.Tensor2D;
      const columns = tf.gather(chunkTable, tf.tensor1d(vectorRows, 'int32')) as tf.Tensor2D;
      return tf.valueAndGrad((weight: tf.Tensor) => {
        const turned = tf.matMul(asked, weight as tf.Tensor2D, false, true) as tf.Tensor2D; // [questions, dimensions]
        return multipleNegativesRankingLoss(turned, columns, lossBatch);
      })(trainables.get(WEIGHT)!);
    });
    const loss = value.dataSync()[0];
    value.dispose();
    const step = result.steps.length + 1;
    const learningRate = recipe.learningRate * linearSchedule(step - 1, warmupSteps, totalSteps);
    const gradNorm = optimizer.step(new Map([[WEIGHT, grad]]), learningRate);
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
      throw new Error(
        `The loss is ${loss} and its gradient's norm ${gradNorm} at step ${step}, so training stopped. ` +
          `Try a smaller LEARNING_RATE (it is ${recipe.learningRate}).`,
      );
    }
    const milliseconds = performance.now() - started;
    const report = { step, totalSteps, epoch, loss, learningRate, gradNorm, milliseconds };
    result.steps.push(report);
    options.onStep?.(report);
  };

  try {
    await evaluateNow(0);
    for (let epoch = 0; epoch < recipe.epochs && !result.stopped; epoch++) {
      const batches = epochOf(epoch);
      for (const [i, batch] of batches.entries()) {
        await new Promise((resolve) => setImmediate(resolve)); // lets progress bars and "stop" buttons have their turn
        if (options.signal?.aborted) {
          result.stopped = true;
          break;
        }
        takeStep(batch, epoch + (i + 1) / batches.length);
      }
      await evaluateNow(epoch + 1);
    }
    warnWithoutBest(result);
  } finally {
    optimizer.dispose();
    tf.dispose([questionTable, chunkTable, ...trainables.values()]);
  }
  return result;
}
