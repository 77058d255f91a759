// In: a folder, and work to be done in it. Out: the work done, by one process at a time; what a dead one left is gone.
//
// By hand, because proper-lockfile keeps its lock by a timer, which has no turn while a training step computes.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readJson, temporaryName, writeJson, writing } from './files';

/** Who works in a folder. */
interface Holder {
  pid: number;
  host: string;
  since: string;
  /** Tells the process from a later one of the same number, on systems that say when it started. */
  started?: string;
}

/**
 * Does work in a folder (made if missing) that one process at a time may do. Temporary files of processes that are gone
 * are deleted from it before.
 *
 * @throws Error with the holder's process number and time if another process works there; nothing is touched then
 */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = path.join(folder, '.lock');
  takeLock(folder, lock);
  try {
    for (const name of fs.readdirSync(folder)) {
      const pid = Number(/\.(\d+)\.tmp$/.exec(name)?.[1] ?? process.pid);
      if (!isRunning(pid)) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    }
    return await work();
  } finally {
    putAway(lock);
  }
}

/** The lock is a folder that appears by a rename, its holder in it: on no file system do two succeed. */
function takeLock(folder: string, lock: string): void {
  const own = temporaryName(lock);
  const started = startOf(process.pid);
  const self: Holder = { pid: process.pid, host: os.hostname(), since: new Date().toLocaleString('sv'), started };
  try {
    writeJson(path.join(own, 'holder.json'), self);
    while (!moved(own, lock)) {
      const holder = readHolder(lock);
      if (holder && isAlive(holder)) throw inUse(folder, lock, holder);
      putAway(lock, holder);
    }
  } finally {
    fs.rmSync(own, { recursive: true, force: true });
  }
}

function moved(own: string, lock: string): boolean {
  return writing(lock, () => {
    try {
      fs.renameSync(own, lock);
      return true;
    } catch (error) {
      if (fs.existsSync(lock)) return false;
      throw error;
    }
  });
}

function readHolder(lock: string): Holder | undefined {
  try {
    return readJson(path.join(lock, 'holder.json')) as Holder;
  } catch {
    return undefined; // its holder ended meanwhile
  }
}

/** Removes a lock in one move; but not one that another process took meanwhile in the place of `holder`'s. */
function putAway(lock: string, holder = readHolder(lock)): void {
  const away = temporaryName(`${lock}-old`);
  try {
    fs.renameSync(lock, away);
    const found = readHolder(away);
    if (found?.pid !== holder?.pid || found?.since !== holder?.since) fs.renameSync(away, lock);
  } catch {
    // another process was quicker
  }
  fs.rmSync(away, { recursive: true, force: true });
}

function inUse(folder: string, lock: string, { pid, host, since }: Holder): Error {
  const who = pid === process.pid ? `this process (${pid})` : `process ${pid}`;
  const where = host === os.hostname() ? '' : ` on ${host}`;
  return new Error(
    `${folder} is in use by ${who}${where}, since ${since}. Wait until it is done, or stop it (a notebook: shut its ` +
      `kernel down); nothing was touched. If no such process runs any more, delete ${lock}.`,
  );
}

/** Whether a lock's holder still runs; of another machine's process nobody can tell here, so it counts as running. */
function isAlive({ pid, host, started }: Holder): boolean {
  if (host !== os.hostname()) return true;
  return isRunning(pid) && [undefined, started].includes(startOf(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's
  }
}

/** When a process started, in the system's ticks, or that it has ended; undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  try {
    // proc_pid_stat(5): field 3, after the name in brackets, is the state, field 22 the start
    const fields = fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}
