// Which batches of a corpus were handed in, and which requests are in them; on disk, so that another day goes on.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** One batch at OpenAI. */
export interface BatchEntry {
  /** Ours, sent along as metadata: finds the batch if the process dies before its id is noted. */
  marker: string;
  /** OpenAI's; undefined until the server has answered. */
  id?: string;
  /** The address of the server that has it. */
  server: string;
  /** Request key → chunk id. */
  requests: Record<string, string>;
  /** True once its answers are in the cache. */
  collected: boolean;
}

/** The list of a corpus' batches, kept in one file. */
export class BatchState {
  private constructor(
    readonly file: string,
    readonly entries: BatchEntry[],
  ) {}

  static async open(file: string): Promise<BatchState> {
    let entries: BatchEntry[] = [];
    try {
      entries = JSON.parse(await readFile(file, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw new Error(`${file}: cannot be read: ${(error as Error).message}`);
    }
    return new BatchState(file, entries);
  }

  /** The batches of a server whose answers are not in the cache yet. */
  outAt(server: string): BatchEntry[] {
    return this.entries.filter((entry) => entry.server === server && !entry.collected);
  }

  /** Forgets batches that never arrived. */
  drop(lost: BatchEntry[]): void {
    const kept = this.entries.filter((entry) => !lost.includes(entry));
    this.entries.splice(0, this.entries.length, ...kept);
  }

  /** Keys that are with a server, or about to be. */
  pendingKeys(): Set<string> {
    return new Set(this.entries.filter((entry) => !entry.collected).flatMap((entry) => Object.keys(entry.requests)));
  }

  async save(): Promise<void> {
    await mkdir(path.dirname(this.file), { recursive: true });
    const unfinished = `${this.file}.${randomUUID()}.tmp`;
    await writeFile(unfinished, JSON.stringify(this.entries));
    await rename(unfinished, this.file);
  }
}
