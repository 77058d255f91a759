// In: tokenizer, encoder and weights. Out: one model, which embeds texts and can be trained and saved.
import type { Embedder, Embeddings, Matrix, OnProgress } from '../common/matrix';
import { normalizedRows, release, rowOf } from '../common/matrix';
import { BertEncoder, type NamedTensors } from './bert/encoder';
import { batchesByTokens, packSequences, TOKENS_AT_A_TIME } from './bert/packing';
import { WORDS } from './bert/weight-names';
import { occurringWords } from './occurring-words';
import type { Prompts } from './prompts';
import { type StoredTable, type StoredTensor, sizeOf } from './safetensors';
import type { SearchSettings } from './search-settings';
import { tf } from './tf';
import type { Tokenizer } from './tokenizer';

type Parts = Pick<
  EmbeddingModel,
  | ('name' | 'folder' | 'tokenizer' | 'prompts' | 'encoder')
  | ('words' | 'weights' | 'untrained' | 'maxSeqLength' | 'search')
>;

/** A sentence-transformers model in TensorFlow.js. */
export class EmbeddingModel implements Embedder {
  declare readonly name: string;
  /** The folder it was loaded from: its tokenizer and settings are copied when the model is saved. */
  declare readonly folder: string;
  declare readonly tokenizer: Tokenizer;
  /** What it was trained to read before each question and each document; saved with it. */
  declare readonly prompts: Prompts;
  /** For questions, and below for documents and their windows: each text after its prompt. */
  readonly queryTokenizer: Tokenizer;
  readonly documentTokenizer: Tokenizer;
  declare readonly encoder: BertEncoder;
  /** Word embeddings, [vocabulary, hidden]: read row by row as texts need them, and in memory no longer than that. */
  declare words: StoredTable;
  /** The other weights, as they are now, by name; training replaces the tensors in place. */
  declare readonly weights: NamedTensors;
  /** Weights of the checkpoint that embeddings don't need (BERT's pooler): saved again as they were. */
  declare readonly untrained: Map<string, StoredTensor>;
  /** Texts are cut to this many tokens, special tokens and prompt included. */
  declare readonly maxSeqLength: number;

  /** How it is meant to be searched with; saved with it. A base model says nothing of it. */
  search?: SearchSettings;

  constructor(parts: Parts) {
    Object.assign(this, parts);
    this.queryTokenizer = parts.tokenizer.withPrompt(parts.prompts.query);
    this.documentTokenizer = parts.tokenizer.withPrompt(parts.prompts.document);
  }

  /** Number of weights. */
  get parameterCount(): number {
    return [...this.weights.values()].reduce((sum, { size }) => sum + size, sizeOf(this.words));
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
   *
   * @param around by the tokenizer that made the sequences
   */
  async embedWords(sequences: Int32Array[], { around } = this.tokenizer): Promise<Matrix[]> {
    const result: Matrix[] = [];
    const { before, after } = around;
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

  /** Token sequences through an encoder, batch by batch: which sequences, packed; what comes out, until the next. */
  private async *encode(sequences: Int32Array[], encoder: BertEncoder, onProgress?: OnProgress) {
    let done = 0;
    for (const indices of batchesByTokens(sequences, TOKENS_AT_A_TIME)) {
      const own = indices.map((i) => sequences[i]);
      const words = occurringWords(this.words, own);
      const batch = packSequences(own.map(words.rows));
      const output = encoder.infer(new Map(this.weights).set(WORDS, words.table), batch);
      const [rows, columns] = output.shape;
      const vectors = { data: (await output.data()) as Float32Array, rows, columns };
      tf.dispose([words.table, output]);
      yield { indices, batch, vectors };
      release(vectors.data);
      done += indices.length;
      onProgress?.(done, sequences.length);
      await new Promise(setImmediate); // lets progress bars and "stop" buttons have their turn
    }
  }

  async embedQueries(texts: string[], onProgress?: OnProgress): Promise<Matrix> {
    const sequences = texts.map((text) => this.queryTokenizer.encode(text, this.maxSeqLength));
    return this.embedTokens(sequences, onProgress);
  }

  async embedDocuments(texts: string[], onProgress?: OnProgress): Promise<Embeddings> {
    const sequences = texts.map((text) => this.documentTokenizer.encode(text, this.maxSeqLength));
    return { vectors: await this.embedTokens(sequences, onProgress), owners: Int32Array.from(texts.keys()) };
  }

  /** Frees the weights' memory. */
  dispose(): void {
    tf.dispose([...this.weights.values()]);
    this.weights.clear();
  }
}
