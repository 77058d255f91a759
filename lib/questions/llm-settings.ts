// In: the settings of an LLM generator. Out: the files it keeps for a corpus.
import path from 'node:path';
import { sha256 } from '../common/ids';
import type { OpenAIServer } from '../common/openai';
import type { Patience } from '../common/patient-calls';
import type { GenerationOptions, SourceChunk } from './generator';
import type { ParsedAnswer } from './parse-answer';

/** US dollars per million tokens, from the provider's price list. */
export interface TokenPrice {
  inputPerMillion: number;
  outputPerMillion: number;
}

/** Of {@link Patience}, `concurrency` is 4 by default, and `timeoutSeconds` 180. */
export interface LlmSettings extends OpenAIServer, Patience {
  /** The model's name, as the server knows it. */
  model: string;
  /** Folder of the answer cache; one JSONL file a corpus. */
  cacheDir: string;
  /** The prompt, as `fillPrompt` takes it; `EXAM_PROMPT` by default. */
  prompt?: string;
  /** How to ask, each chunk in one of these styles; all of `QUESTION_STYLES` by default. */
  styles?: string[];
  /** Files with queries of the reader's own, one a line, to be imitated instead of the styles. */
  exampleFiles?: string[];
  /** Something else to ask than exam questions. */
  task?: Task;
  /** Sampling temperature; 0.7 by default. Left out where a model refuses it. */
  temperature?: number;
  /** For costs in progress and estimates; none by default. */
  price?: TokenPrice;
}

/** What a model is asked about a chunk, and how its answer is read. */
export interface Task {
  message(chunk: SourceChunk, options: GenerationOptions): string;
  /** `response_format` of structured output. */
  format: { type: 'json_schema'; json_schema: { name: string; strict: boolean; schema: Record<string, unknown> } };
  read(answer: string, chunk: SourceChunk, options: GenerationOptions): ParsedAnswer;
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
