// One file of a model: where it is on the hub and what it must be in, a checked file on disk out.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, HubError, reason } from './request';

/** A file as the hub's API lists it: its name in the model, its size in bytes, and its checksum. */
export interface HubFile {
  name: string;
  size: number;
  checksum: { algorithm: 'sha256' | 'git-sha1'; value: string };
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 500;
/** A connection over which nothing comes for this long is given up, and taken up again. */
const STALLED_AFTER_MS = 30_000;

/**
 * Downloads a file to `target`. What arrives is kept in `<target>.partial` and taken up where it stopped, within this
 * call and in the next one; `target` itself appears only after its size and checksum are right.
 *
 * @param onBytes Called with the number of bytes of this file that are here.
 * @throws Error if the hub refuses, the connection fails time and again, or the content is not what the hub promised
 *   (nothing of it is kept then).
 */
export async function fetchFile(
  url: string,
  endpoint: string,
  file: HubFile,
  target: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const partial = `${target}.partial`;
  fs.mkdirSync(path.dirname(target), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    try {
      await continueDownload(url, endpoint, file, partial, onBytes);
      break;
    } catch (error) {
      if (!(error instanceof HubError) || !error.retry || attempt === ATTEMPTS) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
  const actual = await checksum(partial, file);
  if (actual !== file.checksum.value) {
    fs.rmSync(partial);
    throw new Error(
      `${file.name} arrived damaged and was removed: its ${file.checksum.algorithm} is ${actual}, the hub says ` +
        `${file.checksum.value}. Run again; if it happens again, something between here and ${endpoint} alters files.`,
    );
  }
  fs.renameSync(partial, target);
}

async function continueDownload(
  url: string,
  endpoint: string,
  file: HubFile,
  partial: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let here = fs.existsSync(partial) ? fs.statSync(partial).size : 0;
  if (here > file.size) here = 0;
  if (here === file.size && here > 0) return onBytes(here);
  const stalled = new AbortController();
  const giveUp = () => stalled.abort(new Error(`nothing came for ${STALLED_AFTER_MS / 1000} s`));
  let timer = setTimeout(giveUp, STALLED_AFTER_MS);
  try {
    const response = await get(url, endpoint, here ? { range: `bytes=${here}-` } : {}, stalled.signal);
    // A server may ignore the range and send the whole file.
    const resumed = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${here}-`);
    if (!resumed) here = 0;
    onBytes(here);
    const body = (response.body ?? []) as unknown as AsyncIterable<Uint8Array>;
    const output = await fs.promises.open(partial, resumed ? 'a' : 'w');
    try {
      for await (const chunk of body) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, STALLED_AFTER_MS);
        // What lies beyond the announced end is not kept; the checksum judges the rest.
        const kept = chunk.subarray(0, file.size - here);
        await output.appendFile(kept);
        here += kept.length;
        onBytes(here);
        if (kept.length < chunk.length) break;
      }
    } finally {
      await output.close();
    }
  } catch (error) {
    if (error instanceof HubError || (error as NodeJS.ErrnoException).syscall) throw error;
    throw new HubError(interrupted(file, here, reason(error)), true);
  } finally {
    clearTimeout(timer);
  }
  if (here < file.size) throw new HubError(interrupted(file, here, 'the connection ended early'), true);
}

function interrupted(file: HubFile, here: number, why: string): string {
  return (
    `the download of ${file.name} was interrupted at ${here} of ${file.size} bytes (${why}). ` +
    'What has arrived is kept: run again, and it goes on from there'
  );
}

// Large files are listed with their SHA-256, small ones with their git blob id, SHA-1("blob <size>\0" + content).
async function checksum(path: string, file: HubFile): Promise<string> {
  const hash = createHash(file.checksum.algorithm === 'sha256' ? 'sha256' : 'sha1');
  if (file.checksum.algorithm === 'git-sha1') hash.update(`blob ${file.size}\0`);
  await pipeline(fs.createReadStream(path), hash);
  return hash.digest('hex');
}
