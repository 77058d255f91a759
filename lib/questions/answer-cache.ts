// Raw answers of a model go in and are on disk before anybody reads them; a later run gets them back from the file.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, open, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** What the model said. */
export interface LlmAnswer {
  /** Empty if it said nothing, or refused. */
  text: string;
  /** The refusal, or why it stopped, unless it simply came to its end. */
  note?: string;
  inputTokens?: number;
  outputTokens?: number;
}

/** One line of the cache: one answer that was paid for. */
export interface CachedAnswer {
  /** `answerKey` of what was asked. */
  key: string;
  /** The chunk's id, for people who read the file. */
  chunk: string;
  model: string;
  /** The model's text as it came; empty if it gave none. */
  answer: string;
  /** Why the model stopped, or its refusal, where the server told. */
  note?: string;
  /** The batch it came with, if it did not come live. */
  batch?: string;
  inputTokens?: number;
  outputTokens?: number;
}

/**
 * The identity of a question to the model: two calls share an answer only if every part is the same.
 * @param parts The message, the model, the server and the settings.
 */
export function answerKey(parts: Record<string, string | number | undefined>): string {
  const ordered = Object.keys(parts)
    .sort()
    .map((name) => [name, parts[name] ?? null]);
  return createHash('sha256').update(JSON.stringify(ordered)).digest('hex').slice(0, 32);
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
    if (!(await exists(this.file))) return;
    await this.repairLastLine();
    const lines = createInterface({ input: createReadStream(this.file, 'utf8'), crlfDelay: Infinity });
    for await (const line of lines) {
      const record = parseRecord(line);
      if (record) visit(record);
    }
  }

  /** Resolves once the answer is in the file. Records never interleave. */
  append(answer: CachedAnswer): Promise<void> {
    // JSON may hold U+2028 and U+2029 as they are, but Node's line reader takes them for line ends.
    const json = JSON.stringify(answer).replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
    const line = `${json}\n`;
    const written = this.queue.then(() => appendFile(this.file, line));
    this.queue = written.catch(() => {});
    return written;
  }

  /** A process killed in mid-write leaves a last line without its end: keep it if it is whole, else cut it. */
  private async repairLastLine(): Promise<void> {
    const { size } = await stat(this.file);
    const handle = await open(this.file, 'r');
    let end = size;
    try {
      const block = Buffer.alloc(1 << 16);
      while (end > 0) {
        const from = Math.max(0, end - block.length);
        const { bytesRead } = await handle.read(block, 0, end - from, from);
        const newline = block.subarray(0, bytesRead).lastIndexOf(10);
        if (newline >= 0) {
          end = from + newline + 1;
          break;
        }
        end = from;
      }
      if (end === size) return;
      const tail = Buffer.alloc(size - end);
      await handle.read(tail, 0, tail.length, end);
      if (parseRecord(tail.toString('utf8'))) await appendFile(this.file, '\n');
      else await truncate(this.file, end);
    } finally {
      await handle.close();
    }
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

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
