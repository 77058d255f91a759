// In: tokenizer, encoder and weights. Out: one model, which embeds texts and can be trained and saved.
import type { Embedder, Embeddings, Matrix, OnProgress } from '../common/matrix';
import type { BertEncoder, NamedTensors } from './bert/encoder';
import { type PackedBatch, packSequences } from './bert/packing';
import type { StoredTensor } from './safetensors';
import type { SearchSettings } from './search-settings';
import { tf } from './tf';
import type { Tokenizer } from './tokenizer';

/** Tokens encoded at a time: enough for full-speed matrix products, few enough for a small memory. */
const TOKENS_PER_BATCH = 4096;

/** What {@link loadModel} makes an {@link EmbeddingModel} of. */
type Parts = Pick<
  EmbeddingModel,
  'name' | 'folder' | 'tokenizer' | 'encoder' | 'weights' | 'untrained' | 'maxSeqLength' | 'search'
>;

/** A sentence-transformers model in TensorFlow.js. */
export class EmbeddingModel implements Embedder {
  declare readonly name: string;
  /** The folder it was loaded from: its tokenizer and settings are copied when the model is saved. */
  declare readonly folder: string;
  declare readonly tokenizer: Tokenizer;
  declare readonly encoder: BertEncoder;
  /** Current weights by name; training replaces the tensors in place. */
  declare readonly weights: NamedTensors;
  /** Weights of the checkpoint that embeddings don't need (BERT's pooler): saved again as they were. */
  declare readonly untrained: Map<string, StoredTensor>;
  /** Texts are cut to this many tokens, special tokens included. */
  declare readonly maxSeqLength: number;

  /** How it is meant to be searched with; saved with it. A base model says nothing of it. */
  search?: SearchSettings;

  constructor(parts: Parts) {
    Object.assign(this, parts);
  }

  /** Token ids of a text as the encoder reads it: special tokens included, cut to {@link maxSeqLength}. */
  tokenize(text: string): Int32Array {
    return this.tokenizer.encode(text, this.maxSeqLength);
  }

  /** Packs token sequences into one batch for the encoder. */
  pack(sequences: Int32Array[]): PackedBatch {
    return packSequences(sequences);
  }

  /** Number of weights. */
  get parameterCount(): number {
    let count = 0;
    for (const tensor of this.weights.values()) count += tensor.size;
    return count;
  }

  /**
   * Embeds token sequences, longest first, without padding.
   *
   * @returns `[sequences, hidden]` in the order given, of length 1 where the model normalises
   */
  async embedTokens(sequences: Int32Array[], onProgress?: OnProgress): Promise<Matrix> {
    const columns = this.encoder.config.hiddenSize;
    const result: Matrix = { data: new Float32Array(sequences.length * columns), rows: sequences.length, columns };
    const order = sequences.map((_, i) => i).sort((a, b) => sequences[b].length - sequences[a].length);
    for (let next = 0; next < order.length; ) {
      const batch: number[] = [];
      let tokens = 0;
      while (
        next < order.length &&
        (batch.length === 0 || tokens + sequences[order[next]].length <= TOKENS_PER_BATCH)
      ) {
        tokens += sequences[order[next]].length;
        batch.push(order[next++]);
      }
      const pooled = this.encoder.infer(this.weights, this.pack(batch.map((i) => sequences[i])));
      const values = await pooled.data();
      pooled.dispose();
      batch.forEach((index, row) => {
        const vector = values.subarray(row * columns, (row + 1) * columns) as Float32Array;
        result.data.set(this.encoder.pooling.normalize ? normalized(vector) : vector, index * columns);
      });
      onProgress?.(next, order.length);
      await new Promise(setImmediate); // lets progress bars and "stop" buttons have their turn
    }
    return result;
  }

  async embedQueries(texts: string[], onProgress?: OnProgress): Promise<Matrix> {
    return this.embedTokens(
      texts.map((text) => this.tokenize(text)),
      onProgress,
    );
  }

  async embedDocuments(texts: string[], onProgress?: OnProgress): Promise<Embeddings> {
    const vectors = await this.embedQueries(texts, onProgress);
    return { vectors, owners: Int32Array.from(texts.keys()) };
  }

  /** Frees the weights' memory. */
  dispose(): void {
    tf.dispose([...this.weights.values()]);
    this.weights.clear();
  }
}

/** A vector at length 1, as torch.nn.functional.normalize makes it. */
function normalized(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.max(Math.sqrt(squares), 1e-12);
  return vector.map((value) => value / length);
}
