// In: a folder that a model was saved in. Out: the model as onnxruntime computes it, without TensorFlow, for a search.
import fs from 'node:fs';
import path from 'node:path';
import { AutoModel, Tensor } from '@huggingface/transformers';
import { type Embedder, type Matrix, normalizedRows, type OnProgress, rowOf } from '../common/matrix';
import { batchesByTokens } from '../model/bert/packing';
import { readEncoderConfig, readMaxSeqLength, readPoolingConfig } from '../model/config';
import type { EmbeddingModel } from '../model/embedding-model';
import { type OnnxDtype, onnxFile } from '../model/onnx/export';
import { readPrompts } from '../model/prompts';
import { readSearchSettings } from '../model/search-settings';
import { loadTokenizer, type Tokenizer } from '../model/tokenizer';

/** A model that answers questions: what a search needs of an `EmbeddingModel`. */
export type SearchModel = Pick<
  EmbeddingModel,
  | ('folder' | 'tokenizer' | 'prompts' | 'queryTokenizer' | 'documentTokenizer' | 'maxSeqLength' | 'search')
  | ('embedTokens' | 'embedWords' | keyof Embedder)
> & {
  /** The ONNX file. */
  readonly file: string;
  /** Frees the model's memory. */
  dispose(): Promise<void>;
};

/** Tokens computed at a time, padding included: of more, each takes longer, as they leave the processor's cache. */
const TOKENS_PER_BATCH = 1024;

/**
 * Loads a model that was saved here: the same vectors as `loadModel`'s, by the folder's ONNX file.
 *
 * @param options `dtype`: `int8` takes a quarter of the space and half the time, and finds nearly as much (evaluate
 *   shows it); `name` in tables and figures, the folder by default
 * @throws Error if the folder has no ONNX file, or as `loadModel` does
 */
export async function loadSearchModel(
  folder: string,
  { dtype = 'fp32', name = folder }: { dtype?: OnnxDtype; name?: string } = {},
): Promise<SearchModel> {
  const file = onnxFile(folder, dtype);
  if (!fs.existsSync(file)) {
    const large = "A model of more than 2 GB has dtype: 'int8' alone.";
    throw new Error(`There is no ${file}. Save the model there: saveModel(await loadModel(…), …). ${large}`);
  }
  const config = readEncoderConfig(folder);
  const pooling = readPoolingConfig(folder);
  const maxSeqLength = readMaxSeqLength(folder, config);
  const tokenizer = loadTokenizer(folder, config.vocabSize);
  const prompts = readPrompts(folder);
  const encoder = await AutoModel.from_pretrained(path.resolve(folder), { dtype, local_files_only: true });
  const [queryTokenizer, documentTokenizer] = [prompts.query, prompts.document].map(tokenizer.withPrompt);
  const columns = config.hiddenSize;

  /** The last layer's vectors of each sequence, `[tokens, hidden]`. */
  async function* encode(sequences: Int32Array[], onProgress?: OnProgress) {
    let done = 0;
    for (const indices of batchesByTokens(sequences, TOKENS_PER_BATCH, true)) {
      const longest = sequences[indices[0]].length;
      const [ids, mask] = [0, 1].map(() => new BigInt64Array(indices.length * longest));
      for (const [row, index] of indices.entries()) {
        ids.set(Array.from(sequences[index], BigInt), row * longest);
        mask.fill(1n, row * longest, row * longest + sequences[index].length);
      }
      const batch = (data: BigInt64Array) => new Tensor('int64', data, [indices.length, longest]);
      // Where the file asks for token_type_ids, transformers.js adds zeros.
      const { last_hidden_state } = await encoder({ input_ids: batch(ids), attention_mask: batch(mask) });
      for (const [row, index] of indices.entries()) {
        const [start, rows] = [row * longest * columns, sequences[index].length];
        const data: Float32Array = last_hidden_state.data.subarray(start, start + rows * columns);
        yield { index, tokens: { data, rows, columns } };
      }
      done += indices.length;
      onProgress?.(done, sequences.length);
    }
  }

  async function embedTokens(sequences: Int32Array[], onProgress?: OnProgress): Promise<Matrix> {
    const result = { data: new Float32Array(sequences.length * columns), rows: sequences.length, columns };
    for await (const { index, tokens } of encode(sequences, onProgress)) {
      const pooled = rowOf(result, index);
      const rows = pooling.mode === 'cls' ? 1 : tokens.rows;
      tokens.data.subarray(0, rows * columns).forEach((value, i) => {
        pooled[i % columns] += value / rows;
      });
    }
    return pooling.normalize ? normalizedRows(result) : result;
  }
  const embed = (texts: string[], { encode }: Tokenizer, onProgress?: OnProgress) =>
    embedTokens(
      texts.map((text) => encode(text, maxSeqLength)),
      onProgress,
    );

  const parts = { name, folder, file, tokenizer, prompts, queryTokenizer, documentTokenizer, maxSeqLength };
  return {
    ...parts,
    search: readSearchSettings(folder, config.maxPositions),
    embedTokens,
    async embedWords(sequences, { around: { before, after } } = tokenizer) {
      const result: Matrix[] = [];
      for await (const { index, tokens } of encode(sequences)) {
        const hasWords = tokens.rows > before.length + after.length;
        const [start, end] = hasWords ? [before.length, tokens.rows - after.length] : [0, tokens.rows];
        const data = tokens.data.subarray(start * columns, end * columns);
        result[index] = normalizedRows({ data, rows: end - start, columns });
      }
      return result;
    },
    embedQueries: (texts, onProgress) => embed(texts, queryTokenizer, onProgress),
    embedDocuments: async (texts, onProgress) => ({
      vectors: await embed(texts, documentTokenizer, onProgress),
      owners: Int32Array.from(texts.keys()),
    }),
    dispose: async () => void (await encoder.dispose()),
  };
}
