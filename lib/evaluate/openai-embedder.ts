// In: texts. Out: their vectors from OpenAI's embeddings API, or any server that speaks it; each text is paid for once.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../common/files';
import { groupsWithin } from '../common/groups';
import { contentId } from '../common/ids';
import { type Embedder, type Embeddings, type Matrix, type OnProgress, stacked } from '../common/matrix';
import { errorText, publicUrl } from '../common/openai';
import { openAIClient } from '../common/openai-client';
import { patientCalls } from '../common/patient-calls';
import { cutToTokens, tokenWindows } from '../common/text/gpt-tokens';
import type { WindowSettings } from '../common/windows';

/** The longest input of OpenAI's embedding models, in tokens. */
const MAX_INPUT_TOKENS = 8191;
/** The API takes 2048 inputs and 300,000 tokens a request; smaller requests lose less when one fails. */
const BATCH_TEXTS = 128;
const BATCH_TOKENS = 100_000;
const RETRIES = 6;
const TIMEOUT_SECONDS = 600;

/** Settings of `createOpenAIEmbedder`. The key and the address come from `OPENAI_API_KEY` and `OPENAI_BASE_URL`. */
interface OpenAIEmbedderOptions {
  /** The model's name, as the server knows it; `text-embedding-3-small` by default. */
  model?: string;
  /** Folder that keeps vectors, so that a later run does not pay for them again. Never holds text or key. */
  cacheDir: string;
  /** A vector a window of a document, in tokens (cl100k_base); one vector a document by default. */
  windows?: WindowSettings;
}

/** Why OpenAI embeddings cannot be had, in words for the reader; null if they can. */
export function openAISkipReason(): string | null {
  if (process.env.OPENAI_API_KEY || process.env.OPENAI_BASE_URL) return null;
  return (
    'OpenAI embeddings are skipped: OPENAI_API_KEY is not set, nor is OPENAI_BASE_URL. Set one of them before Jupyter ' +
    'Lab starts, and run this notebook again, to see them beside the others.'
  );
}

/**
 * An embedder on an OpenAI-compatible server. Inputs beyond 8191 tokens are cut. Requests that fail for a passing
 * reason are sent again, after the time the server asks for (`Retry-After`) or a growing one.
 *
 * @throws {Error} at once if there is neither key nor address; later, from the embedder, if a text is empty, the server
 *   refuses (one that takes shorter texts says how short), or its answer is not one vector a text. No message holds the
 *   key.
 */
export function createOpenAIEmbedder(options: OpenAIEmbedderOptions): Embedder {
  const { model = 'text-embedding-3-small', cacheDir, windows } = options;
  const skipped = openAISkipReason();
  if (skipped) throw new Error(skipped);
  const connection = { apiKey: process.env.OPENAI_API_KEY, baseURL: process.env.OPENAI_BASE_URL };
  const client = openAIClient(connection, { maxRetries: 0, timeout: TIMEOUT_SECONDS * 1000 });
  const call = patientCalls(connection, { concurrency: 1, retries: RETRIES, timeoutSeconds: TIMEOUT_SECONDS });
  const server = publicUrl(connection.baseURL);

  /** The file that keeps a text's vector, named by the hash of all that decides it: neither text nor key is on disk. */
  function fileOf(text: string): string {
    const hash = contentId(server, model, text);
    return join(cacheDir, hash.slice(0, 2), `${hash}.f32`);
  }

  async function request(texts: string[]): Promise<number[][]> {
    try {
      // Floats, because not every compatible server knows the package's default, base64.
      const send = async () => await client.embeddings.create({ model, input: texts, encoding_format: 'float' });
      const response = await call(send);
      return vectorsInOrder(response.data, texts.length);
    } catch (error) {
      const reason = errorText(error, connection);
      const advice = reason.startsWith('404') ? ' Set OPENAI_EMBEDDING_MODEL to a model that it has.' : '';
      throw new Error(`"${model}" at ${server}: ${reason}${advice}`);
    }
  }

  async function embed(texts: string[], onProgress?: OnProgress): Promise<Matrix> {
    const inputs = texts.map((text) => cutToTokens(text, MAX_INPUT_TOKENS));
    const vectors = new Map<string, Float32Array>();
    const missing = new Map<string, number>();
    for (const { text, tokens } of inputs) {
      const file = fileOf(text);
      // A copy, because a Buffer may start where a Float32Array cannot.
      if (existsSync(file)) vectors.set(text, new Float32Array(new Uint8Array(readFileSync(file)).buffer));
      else missing.set(text, tokens);
    }
    const total = vectors.size + missing.size;
    onProgress?.(vectors.size, total);
    for (const batch of groupsWithin(missing.keys(), (text) => missing.get(text)!, BATCH_TEXTS, BATCH_TOKENS)) {
      const answers = await request(batch);
      batch.forEach((text, i) => {
        const vector = Float32Array.from(answers[i]);
        writeWhole(fileOf(text), new Uint8Array(vector.buffer));
        vectors.set(text, vector);
      });
      onProgress?.(vectors.size, total);
    }
    const found = inputs.map(({ text }) => vectors.get(text)!);
    const columns = found[0]?.length ?? 0;
    const other = found.find(({ length }) => length !== columns);
    if (other)
      throw new Error(`The server gave vectors of ${columns} and of ${other.length} numbers: clear the cache folder.`);
    const matrices = found.map((data) => ({ data, rows: 1, columns }));
    return stacked(matrices, Float32Array);
  }

  return {
    name: windows ? `${model} (windows)` : model,
    async embedQueries(texts, onProgress): Promise<Matrix> {
      refuseEmpty(texts, 'query');
      return embed(texts, onProgress);
    },
    async embedDocuments(texts, onProgress): Promise<Embeddings> {
      refuseEmpty(texts, 'document');
      const parts = texts.map((text) => (windows ? tokenWindows(text, windows) : [text]));
      const owners = Int32Array.from(parts.flatMap((windowsOfText, i) => windowsOfText.map(() => i)));
      return { vectors: await embed(parts.flat(), onProgress), owners };
    },
  };
}

function refuseEmpty(texts: string[], kind: string): void {
  const empty = texts.findIndex((text) => text.trim() === '');
  if (empty >= 0) throw new Error(`The text of ${kind} ${empty} is empty: remove it from the dataset.`);
}

/** @throws {Error} if the answer is not `count` vectors of numbers. */
function vectorsInOrder(data: unknown, count: number): number[][] {
  const vectors: number[][] = new Array(count).fill([]);
  for (const { index, embedding } of Array.isArray(data) ? data : []) vectors[index] = embedding;
  if (vectors.length !== count || !vectors.every((vector) => vector?.length > 0 && vector.every(Number.isFinite))) {
    throw new Error(`the answer does not hold one vector for each of ${count} texts`);
  }
  return vectors;
}
