// In: a folder, and work to be done in it. Out: the work done, by one process at a time; what a dead one left is gone.
//
// By hand, because proper-lockfile keeps its lock by a timer, which has no turn while a training step computes.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readJson, temporaryName, writeJson } from './files';

/** Who works in a folder. */
interface Holder {
  pid: number;
  host: string;
  since: string;
  /** Tells the process from a later one of the same number, where the system says when it started. */
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
      const pid = /\.(\d+)\.tmp$/.exec(name)?.[1];
      if (pid && !isRunning(Number(pid))) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    }
    return await work();
  } finally {
    remove(lock);
  }
}

/** The lock is a folder that appears by a rename, its holder in it: on no file system do two succeed. */
function takeLock(folder: string, lock: string): void {
  const own = temporaryName(lock);
  const started = startOf(process.pid);
  const self: Holder = { pid: process.pid, host: os.hostname(), since: new Date().toLocaleString('sv'), started };
  try {
    writeJson(path.join(own, 'holder.json'), self);
    for (let tries = 1; fs.existsSync(own); tries++) {
      const holder = holderOf(lock);
      if (holder && isAlive(holder)) throw inUse(folder, lock, holder);
      if (fs.existsSync(lock)) remove(lock, holder);
      try {
        fs.renameSync(own, lock);
      } catch (error) {
        if (tries === 20) throw error; // else another process was quicker: see who
      }
    }
  } finally {
    fs.rmSync(own, { recursive: true, force: true });
  }
}

function holderOf(lock: string): Holder | undefined {
  try {
    return readJson(path.join(lock, 'holder.json')) as Holder;
  } catch {
    return undefined; // there is none, or it ended just now
  }
}

/** Removes a lock in one move; but not another's that was set meanwhile. */
function remove(lock: string, holder = holderOf(lock)): void {
  const away = temporaryName(`${lock}-old`);
  try {
    fs.renameSync(lock, away);
    if (JSON.stringify(holderOf(away)) !== JSON.stringify(holder)) fs.renameSync(away, lock);
  } catch {
    // another process was quicker
  }
  fs.rmSync(away, { recursive: true, force: true });
}

function inUse(folder: string, lock: string, { pid, host, since }: Holder): Error {
  const who = `process ${pid}${pid === process.pid ? ' (this one)' : ''}${host === os.hostname() ? '' : ` on ${host}`}`;
  return new Error(
    `${folder} is in use by ${who}, since ${since}. Wait until it is done, or stop it (a notebook: shut its kernel ` +
      `down); nothing was touched. If no such process runs any more, delete ${lock}.`,
  );
}

/** Whether a holder still runs; of another machine's process nobody can tell here, so it counts as running. */
const isAlive = ({ pid, host, started }: Holder): boolean =>
  host !== os.hostname() || (isRunning(pid) && [undefined, started].includes(startOf(pid)));

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's
  }
}

/** When a process started, in the system's ticks, or that it has ended; undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  if (!fs.existsSync(file)) return undefined;
  // proc_pid_stat(5): after the name in brackets come field 3, the state, and on to field 22, the start.
  const stat = fs.readFileSync(file, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? 'ended' : fields[19];
}
