// In: the file of a corpus' batches. Out: the batches, and which requests are out in them; live calls must not pay for
// those again. The Batch API itself is one of the extras.
import { existsSync } from 'node:fs';
import { readJson } from '../common/files';

/** One batch that was handed in. */
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

/** @throws Error that names the file if it cannot be read. */
export function readBatches(file: string): HandedIn[] {
  return existsSync(file) ? (readJson(file) as HandedIn[]) : [];
}

/** Keys of the requests that are with a server, or about to be. */
export function keysOut(batches: HandedIn[]): Set<string> {
  return new Set(batches.filter(({ collected }) => !collected).flatMap(({ requests }) => Object.keys(requests)));
}
