// In: a file as the hub lists it. Out: that file on disk, checked. By hand: `@huggingface/hub` checks nothing that
// arrives, and starts a broken download again from its first byte.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import pRetry from 'p-retry';
import { makeFolder, writing } from '../../common/files';
import { HubError, reason } from './request';

/** A file of a model: its name there, its size in bytes, and its SHA-256, or a small one's git blob id (a SHA-1). */
export interface HubFile {
  name: string;
  size: number;
  checksum: string;
}

/** A connection over which nothing comes for this long is given up, and taken up again. */
const STALLED_AFTER_MS = 30_000;

/**
 * Downloads a file to `target`. What arrives is kept in `<target>.incomplete` and taken up where it stopped, in this
 * call and in the next one; `target` itself appears only after its checksum is right.
 *
 * @param request see `hubFetch`
 * @param onBytes called with the number of bytes of this file that are here
 * @throws Error if the hub refuses, the connection fails time and again, it cannot be written, or the content is not
 *   what the hub promised (nothing of it is kept then)
 */
export async function fetchFile(
  url: string,
  file: HubFile,
  target: string,
  request: typeof fetch,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const incomplete = `${target}.incomplete`;
  const goOn = async (): Promise<void> => {
    let here = fs.statSync(incomplete, { throwIfNoEntry: false })?.size ?? 0;
    if (here > file.size) here = 0;
    if (here > 0 && here === file.size) return onBytes(here);
    const stalled = new AbortController();
    const giveUp = () => stalled.abort(new Error(`nothing came for ${STALLED_AFTER_MS / 1000} s`));
    const timer = setTimeout(giveUp, STALLED_AFTER_MS);
    try {
      const headers: Record<string, string> = here ? { range: `bytes=${here}-` } : {};
      const response = await request(url, { headers, signal: stalled.signal });
      if (response.status !== 206) {
        here = 0; // a server may ignore the range and send the whole file
        writing(incomplete, () => fs.writeFileSync(incomplete, ''));
      }
      for await (const chunk of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
        timer.refresh();
        writing(incomplete, () => fs.appendFileSync(incomplete, chunk));
        here += chunk.length;
        onBytes(here);
      }
      if (here < file.size) throw new Error('the connection ended early');
    } catch (caught) {
      const error = stalled.signal.aborted ? stalled.signal.reason : caught;
      if (error instanceof HubError || (error as NodeJS.ErrnoException).code) throw error;
      throw new HubError(
        `the download of ${file.name} was interrupted at ${here} of ${file.size} bytes (${reason(error)}). ` +
          'What has arrived is kept: run again, and it goes on from there',
        true,
      );
    } finally {
      clearTimeout(timer);
    }
  };
  makeFolder(path.dirname(target));
  await pRetry(goOn, {
    retries: 3,
    minTimeout: 500,
    shouldRetry: ({ error }) => error instanceof HubError && error.retry,
  });
  const [kind, actual] = await checksum(incomplete, file);
  if (actual !== file.checksum) {
    fs.rmSync(incomplete);
    throw new Error(
      `${file.name} arrived damaged and was removed: its ${kind} is ${actual}, the hub says ${file.checksum}. ` +
        `Run again; if it happens again, something between here and ${new URL(url).origin} alters files.`,
    );
  }
  fs.renameSync(incomplete, target);
}

// Git's blob id is SHA-1("blob <size>\0" + content).
async function checksum(path: string, file: HubFile): Promise<[kind: string, value: string]> {
  const isGit = file.checksum.length === 40;
  const hash = createHash(isGit ? 'sha1' : 'sha256');
  if (isGit) hash.update(`blob ${file.size}\0`);
  await pipeline(fs.createReadStream(path), hash);
  return [isGit ? 'git-sha1' : 'sha256', hash.digest('hex')];
}
