// In: the settings of an LLM generator. Out: the files it keeps for a corpus.
import path from 'node:path';
import { sha256 } from '../common/ids';
import type { OpenAIServer } from '../common/openai';

/** US dollars per million tokens, from the provider's price list. */
export interface TokenPrice {
  inputPerMillion: number;
  outputPerMillion: number;
}

export interface LlmSettings extends OpenAIServer {
  /** The model's name, as the server knows it. */
  model: string;
  /** Folder of the answer cache; one JSONL file a corpus. */
  cacheDir: string;
  /** The prompt, with `{text}` and `{count}`; `EXAM_PROMPT` by default. */
  prompt?: string;
  /** Sampling temperature; the server's own by default, as some models refuse any other. */
  temperature?: number;
  /** For costs in progress and estimates; none by default. */
  price?: TokenPrice;
  /** Calls at once; 4 by default. */
  concurrency?: number;
  /** How often a call that failed is tried again; 8 by default. */
  retries?: number;
  /** First wait before trying again, in seconds; doubles each time, up to a minute; 1 by default. */
  backoffSeconds?: number;
  /** Time limit of one call, in seconds; 180 by default. */
  timeoutSeconds?: number;
}

/** The answers' file of one corpus, such as `train`. */
export function cacheFile(cacheDir: string, corpus = 'corpus'): string {
  const safe = corpus.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '');
  // Names that differ only in what was replaced must not share a file.
  const name = safe === corpus ? safe : `${safe}-${sha256(corpus).slice(0, 8)}`;
  return path.join(cacheDir, `${name}.jsonl`);
}

/** The file of one corpus' batches, beside its answers. */
export function batchFile(cacheDir: string, corpus?: string): string {
  return cacheFile(cacheDir, corpus).replace(/\.jsonl$/, '.batches.json');
}
