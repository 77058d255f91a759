// The settings of an LLM generator, and what of them may be shown: never the key.

import { createHash } from 'node:crypto';
import path from 'node:path';

/** US dollars per million tokens, from the provider's price list. */
export interface TokenPrice {
  inputPerMillion: number;
  outputPerMillion: number;
}

export interface LlmSettings {
  /** The model's name, as the server knows it. */
  model: string;
  /** Folder of the answer cache; one JSONL file a corpus. */
  cacheDir: string;
  /** Needed by OpenAI and other paid services; local servers take any. */
  apiKey?: string;
  /** Where the server is, usually ending in `/v1`; OpenAI's own by default. */
  baseURL?: string;
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
export function cacheFile(cacheDir: string, corpus: string): string {
  const safe = corpus.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '');
  // Names that differ only in what was replaced must not share a file.
  const name = safe === corpus ? safe : `${safe}-${createHash('sha256').update(corpus).digest('hex').slice(0, 8)}`;
  return path.join(cacheDir, `${name}.jsonl`);
}

/** The file of one corpus' batches, beside its answers. */
export function batchFile(cacheDir: string, corpus: string): string {
  return cacheFile(cacheDir, corpus).replace(/\.jsonl$/, '.batches.json');
}
