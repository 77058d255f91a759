// In: question–chunk pairs and a frozen embedder. Out: an adapter for its question vectors. All texts are embedded
// once; then a step is one small matrix product, and a run takes seconds.
import type { Embedder } from '../common/matrix';
import { tf } from '../model/tf';
import { AdamW } from '../train/adamw';
import { checkPairs } from '../train/batches';
import type { Learner } from '../train/learner';
import { multipleNegativesRankingLoss } from '../train/ranking-loss';
import { checkRecipe } from '../train/recipe';
import type { RunRecord } from '../train/run/run-record';
import { columnVectors } from '../train/step';
import { type LoopOptions, trainingLoop } from '../train/train';
import { AdaptedEmbedder, WEIGHT } from './adapter';
import { embedPairs } from './embed-pairs';

/** What {@link trainAdapter} needs; a matrix bears a far higher learning rate than a model, 1e-3 and above. */
export interface AdapterOptions
  extends Pick<LoopOptions<AdaptedEmbedder>, 'data' | 'recipe' | 'seed' | 'onStep' | 'onEvaluation' | 'signal'> {
  /** Scores the adapted embedder, higher is better: at the start, where it changes nothing, and after each epoch. */
  evaluate?: (embedder: Embedder) => Promise<number>;
}

/** The adapted embedder with the best score (the last one without any), and the run's record. */
export interface AdapterResult extends RunRecord {
  embedder: AdaptedEmbedder;
}

/**
 * Trains a linear adapter, from the identity, by the loop and the ranking loss that train whole models.
 *
 * Use it where the model cannot be changed (OpenAI's, for one), where the corpus's vectors must stay as they are, or
 * where seconds must do. It can only turn and stretch the question vectors, so it gains less than training the model.
 *
 * @throws Error if a setting or the data cannot be trained on, or if the loss or its gradient stops being finite
 */
export async function trainAdapter(base: Embedder, options: AdapterOptions): Promise<AdapterResult> {
  checkRecipe({ ...options.recipe, dropout: 0 });
  checkPairs(options.data);
  const learner = await adapterLearner(base, options);
  let best: AdaptedEmbedder | undefined;
  const keepBest = async (current: AdaptedEmbedder) => {
    best = current;
  };
  try {
    const result = await trainingLoop(learner, { ...options, evaluationSteps: Number.POSITIVE_INFINITY, keepBest });
    if (result.failure) throw result.failure;
    return { ...result, embedder: best ?? learner.publish() };
  } finally {
    learner.dispose();
  }
}

async function adapterLearner(base: Embedder, { data }: AdapterOptions): Promise<Learner<AdaptedEmbedder>> {
  const { queries, queryRow, chunks, chunkRows } = await embedPairs(base, data);
  const dimensions = queries.columns;
  const [queryTable, chunkTable] = [queries, chunks].map(({ data, rows }) => tf.tensor2d(data, [rows, dimensions]));
  const weights = new Map<string, tf.Tensor>([[WEIGHT, tf.eye(dimensions)]]);
  const optimizer = new AdamW(weights);

  return {
    step(batch, _, learningRate) {
      const ofChunks = batch.chunkIds.map((id) => chunkRows.get(id)!);
      const chunkOwners = Int32Array.from(ofChunks.flatMap((own, chunk) => own.map(() => chunk)));
      const { rows, lossBatch } = columnVectors({ batch, chunkOwners });
      const vectorRows = Array.from(rows, (row) => ofChunks.flat()[row]);
      const queryRows = batch.queryIds.map((id) => queryRow.get(id)!);
      const { value, grad } = tf.tidy(() => {
        const asked = tf.gather(queryTable, tf.tensor1d(queryRows, 'int32')) as tf.Tensor2D; // [questions, dimensions]
        const columns = tf.gather(chunkTable, tf.tensor1d(vectorRows, 'int32')) as tf.Tensor2D; // [vectors, dimensions]
        return tf.valueAndGrad((weight: tf.Tensor) => {
          const turned = tf.matMul(asked, weight as tf.Tensor2D, false, true) as tf.Tensor2D;
          return multipleNegativesRankingLoss(turned, columns, lossBatch);
        })(weights.get(WEIGHT)!);
      });
      const loss = value.dataSync()[0];
      value.dispose();
      return { loss, gradNorm: optimizer.step(new Map([[WEIGHT, grad]]), learningRate) };
    },
    publish() {
      const data = Float32Array.from(weights.get(WEIGHT)!.dataSync());
      return new AdaptedEmbedder(base, { data, rows: dimensions, columns: dimensions });
    },
    dispose() {
      optimizer.dispose();
      tf.dispose([queryTable, chunkTable, ...weights.values()]);
    },
  };
}
