// In: raw answers of a model, each on disk before anybody reads it. Out: the same in a later run, from the file.
import { createReadStream, existsSync } from 'node:fs';
import { appendFile, mkdir, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { contentId } from '../common/ids';
import { type OpenAIServer, scrub } from '../common/openai';

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
  /** `answerKey` of what was asked. */
  key: string;
  /** The chunk's id, for people who read the file. */
  chunk: string;
  model: string;
  /** The model's text as it came. */
  answer: string;
  /** The batch it came with, if it did not come live. */
  batch?: string;
}

/**
 * The identity of a question to the model: two calls share an answer only if every part is the same.
 * @param parts The message, the model, the server and the settings.
 */
export function answerKey(parts: Record<string, string | number | undefined>): string {
  const names = Object.keys(parts).sort();
  return contentId(...names.map((name) => [name, parts[name] ?? null])).slice(0, 32);
}

/** The line that keeps an answer, without the key even if the model echoes it. */
export function cacheRecord(
  { model, apiKey }: OpenAIServer & { model: string },
  key: string,
  chunk: string,
  { text, note, ...rest }: LlmAnswer,
): CachedAnswer {
  return { key, chunk, model, answer: scrub(text, apiKey), ...(note ? { note: scrub(note, apiKey) } : {}), ...rest };
}

/** An append-only JSONL file of answers. A line cut off by a killed process is repaired by the next run. */
export class AnswerCache {
  private queue: Promise<void> = Promise.resolve();

  constructor(readonly file: string) {}

  /**
   * Hands every stored answer to `visit`, one at a time, so that memory stays bounded.
   * Lines that are not answers are skipped.
   */
  async read(visit: (answer: CachedAnswer) => void): Promise<void> {
    await mkdir(path.dirname(this.file), { recursive: true });
    if (!existsSync(this.file)) return;
    // Latin-1 has a character for every byte, so that lengths are bytes, and no line end but JSONL's own.
    const lines = createInterface({ input: createReadStream(this.file, 'latin1'), crlfDelay: Infinity });
    let bytes = 0;
    let last = { length: 0, isAnswer: false };
    for await (const line of lines) {
      const record = parseRecord(Buffer.from(line, 'latin1').toString());
      if (record) visit(record);
      bytes += line.length + 1;
      last = { length: line.length, isAnswer: record !== undefined };
    }
    // A process killed in mid-write leaves a last line without its end: kept if it is whole, else cut off.
    const { size } = await stat(this.file);
    if (bytes <= size) return;
    if (last.isAnswer) await appendFile(this.file, '\n');
    else await truncate(this.file, size - last.length);
  }

  /** Resolves once the answer is in the file. Records never interleave. */
  append(answer: CachedAnswer): Promise<void> {
    const written = this.queue.then(() => appendFile(this.file, `${JSON.stringify(answer)}\n`));
    this.queue = written.catch(() => {});
    return written;
  }
}

function parseRecord(line: string): CachedAnswer | undefined {
  try {
    const record = JSON.parse(line);
    return typeof record?.key === 'string' && typeof record.answer === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}
