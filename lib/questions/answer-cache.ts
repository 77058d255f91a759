// In: raw answers of a model, each on disk before anybody reads it; and batches of requests that are out. Out: the same
// in a later run, from the corpus' files.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makeFolder, readJson, writing } from '../common/files';
import { scrub } from '../common/openai';
import type { LlmSettings } from './llm-settings';

/** What the model said. */
export interface LlmAnswer {
  /** Empty if it said nothing, or refused. */
  text: string;
  /** The refusal, or why it stopped, unless it simply came to its end. */
  note?: string;
  inputTokens?: number;
  outputTokens?: number;
  /** What its words were drawn with, where the server took it. */
  temperature?: number;
  seed?: number;
}

/** One line of the cache: one answer that was paid for. */
export interface CachedAnswer extends Omit<LlmAnswer, 'text'> {
  /** Of what was asked: the same for the same request. */
  key: string;
  /** The chunk's id, for people who read the file. */
  chunk: string;
  model: string;
  /** The model's text as it came, but for the key of the server. */
  answer: string;
  /** The batch it came with, if it did not come live. */
  batch?: string;
}

/** One batch that was handed in to the Batch API, which is one of the extras. */
export interface HandedIn {
  /** Ours, sent along as metadata: finds the batch if the process dies before its id is noted. */
  marker: string;
  /** The server's; undefined until it has answered. */
  id?: string;
  /** The address of the server that has it. */
  server: string;
  /** Request key → chunk id. */
  requests: Record<string, string>;
  /** True once its answers are in the cache. */
  collected: boolean;
}

/** The answers' file of one corpus, such as `train`: JSONL, only ever appended to. */
export const cacheFile = (cacheDir: string, corpus = 'corpus') => path.join(cacheDir, `${corpus}.jsonl`);

/** The file of one corpus' batches, beside its answers. */
export const batchFile = (cacheDir: string, corpus = 'corpus') => path.join(cacheDir, `${corpus}.batches.json`);

/** @throws Error that names the file if it cannot be read. */
export function readBatches(file: string): HandedIn[] {
  return existsSync(file) ? (readJson(file) as HandedIn[]) : [];
}

/** Every stored answer; what is none, as a line that a killed process did not end, is passed over. Makes the folder. */
export function* readAnswers(file: string): Generator<CachedAnswer> {
  makeFolder(path.dirname(file));
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // The next answer must not join a line without an end.
  if (text !== '' && !text.endsWith('\n')) writing(file, () => appendFileSync(file, '\n'));
  for (const line of text.split('\n')) {
    const record = parseRecord(line);
    if (record) yield record;
  }
}

/**
 * Puts an answer on disk.
 * @param file One that `readAnswers` has seen.
 * @returns its text without the server's key, which a model may echo.
 */
export function appendAnswer(
  file: string,
  { model, apiKey }: Pick<LlmSettings, 'model' | 'apiKey'>,
  asked: Pick<CachedAnswer, 'key' | 'chunk' | 'batch'>,
  { text, note, ...rest }: LlmAnswer,
): string {
  const answer = scrub(text, apiKey);
  const record: CachedAnswer = { ...asked, model, answer, note: note && scrub(note, apiKey), ...rest };
  writing(file, () => appendFileSync(file, `${JSON.stringify(record)}\n`));
  return answer;
}

function parseRecord(line: string): CachedAnswer | undefined {
  try {
    const record = JSON.parse(line);
    return typeof record?.key === 'string' && typeof record.answer === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}
