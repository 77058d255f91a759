// In: tokenizer, encoder and weights. Out: one model, which embeds texts and can be trained and saved.
import { type Embedder, type Embeddings, type Matrix, normalizedRows, type OnProgress, rowOf } from '../common/matrix';
import { BertEncoder, type NamedTensors } from './bert/encoder';
import { batchesByTokens, packSequences } from './bert/packing';
import type { StoredTensor } from './safetensors';
import type { SearchSettings } from './search-settings';
import { tf } from './tf';
import type { Tokenizer } from './tokenizer';

/** Tokens encoded at a time: enough for full-speed matrix products, few enough for a small memory. */
const TOKENS_PER_BATCH = 2048;

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

  /** Number of weights. */
  get parameterCount(): number {
    return [...this.weights.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Embeds token sequences, longest first, without padding.
   *
   * @returns `[sequences, hidden]` in the order given, of length 1 where the model normalises
   */
  async embedTokens(sequences: Int32Array[], onProgress?: OnProgress): Promise<Matrix> {
    const { config, pooling } = this.encoder;
    const columns = config.hiddenSize;
    const result: Matrix = { data: new Float32Array(sequences.length * columns), rows: sequences.length, columns };
    for await (const { indices, vectors } of this.encode(sequences, this.encoder, onProgress)) {
      const final = pooling.normalize ? normalizedRows(vectors) : vectors;
      indices.forEach((index, row) => {
        result.data.set(rowOf(final, row), index * columns);
      });
    }
    return result;
  }

  /**
   * The last layer's vectors of word pieces, of length 1: `[word pieces, hidden]` for each token sequence, without what
   * the tokenizer puts around them (unless there is nothing else).
   */
  async embedWords(sequences: Int32Array[]): Promise<Matrix[]> {
    const result: Matrix[] = [];
    const { before, after } = this.tokenizer.around;
    const everyToken = new BertEncoder(this.encoder.config, { mode: 'none', normalize: true });
    for await (const { indices, vectors, batch } of this.encode(sequences, everyToken)) {
      const { data, columns } = normalizedRows(vectors);
      indices.forEach((index, i) => {
        const words = batch.lengths[i] - before.length - after.length;
        const [start, rows] = words ? [batch.starts[i] + before.length, words] : [batch.starts[i], batch.lengths[i]];
        result[index] = { data: data.subarray(start * columns, (start + rows) * columns), rows, columns };
      });
    }
    return result;
  }

  /** Token sequences through an encoder, batch by batch: which sequences, packed, and what comes out of it. */
  private async *encode(sequences: Int32Array[], encoder: BertEncoder, onProgress?: OnProgress) {
    let done = 0;
    for (const indices of batchesByTokens(sequences, TOKENS_PER_BATCH)) {
      const batch = packSequences(indices.map((i) => sequences[i]));
      const output = encoder.infer(this.weights, batch);
      const [rows, columns] = output.shape;
      const vectors = { data: (await output.data()) as Float32Array, rows, columns };
      output.dispose();
      yield { indices, batch, vectors };
      done += indices.length;
      onProgress?.(done, sequences.length);
      await new Promise(setImmediate); // lets progress bars and "stop" buttons have their turn
    }
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
