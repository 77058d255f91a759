// In: the name of a lock file. Out: after a wait, if another process holds it, the function that gives it back.
// By hand, because set-up takes the lock before it installs the packages: proper-lockfile would be one of them.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** All in milliseconds. The holder touches its file every `BEAT`; the others look every `LOOK`. */
const BEAT = 1000;
const LOOK = 250;
/** A file that stays untouched for so long is a dead holder's. */
const SILENCE = 15_000;
/** How long one that took over a dead holder's file waits to see whether another did so too. */
const SETTLE = 1000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** @returns who holds the file (process, host, and a number used once) and when it was touched; nothing if nobody */
function look(file) {
  try {
    return { owner: fs.readFileSync(file, 'utf8'), touched: fs.statSync(file).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns {boolean} whether the file was free and is ours now */
function create(file, owner) {
  try {
    fs.writeFileSync(file, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the holder ended without giving back. On another host (a container, say), only touches tell. */
function hasEnded(owner) {
  const [pid, host] = owner.split(' ');
  if (host !== os.hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Of several that find a holder dead at the same time, the last to write has the lock. */
async function takeOver(file, dead, owner) {
  if (look(file)?.owner !== dead) return false;
  const own = `${file}.${owner.split(' ').at(-1)}.tmp`;
  fs.writeFileSync(own, owner);
  fs.renameSync(own, file);
  await sleep(SETTLE);
  return look(file)?.owner === owner;
}

/**
 * Takes a lock: a file that only one process can create, with its number in it. A holder that was killed blocks nobody:
 * its process is gone, or, if the number means another process by now, its file stays untouched.
 *
 * @param {string} file
 * @param {{ onWait?: (pid: string) => void, silence?: number }} [options] `onWait` is called once, with the holder's
 *   process number, if there is a wait
 * @returns {Promise<() => void>} gives the lock back; a signal that ends the process does, too
 */
export async function takeLock(file, { onWait, silence = SILENCE } = {}) {
  const owner = [process.pid, os.hostname(), crypto.randomUUID()].join(' ');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let last;
  // Looks are counted instead of time: after a laptop's sleep the holder has not touched its file either.
  let looksWithoutTouch = 0;
  let hasWaited = false;
  while (!create(file, owner)) {
    const holder = look(file);
    if (!holder) continue;
    looksWithoutTouch = holder.owner === last?.owner && holder.touched === last.touched ? looksWithoutTouch + 1 : 0;
    last = holder;
    if (hasEnded(holder.owner) || looksWithoutTouch * LOOK >= silence) {
      if (await takeOver(file, holder.owner, owner)) break;
    } else {
      // A file is there a moment before its contents are: an empty one gets a second look before it is spoken of.
      if (!hasWaited && (holder.owner || looksWithoutTouch > 0)) {
        onWait?.(holder.owner.split(' ')[0]);
        hasWaited = true;
      }
      await sleep(LOOK);
    }
  }
  return hold(file, owner);
}

function hold(file, owner) {
  const beat = setInterval(() => {
    // Somebody may have emptied the folder.
    if (fs.existsSync(file)) fs.utimesSync(file, new Date(), new Date());
  }, BEAT);
  const giveBack = () => {
    clearInterval(beat);
    process.off('exit', giveBack);
    for (const signal of SIGNALS) process.off(signal, end);
    if (look(file)?.owner === owner) fs.rmSync(file);
  };
  const end = (signal) => process.exit(128 + os.constants.signals[signal]);
  process.on('exit', giveBack);
  for (const signal of SIGNALS) process.on(signal, end);
  return giveBack;
}
