// In: a command. Out: all processes that it started, wherever they went: below it when it was asked, or with its mark.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Whether this system lists its processes where this file looks. */
export const CAN_COUNT = fs.existsSync('/proc/self/environ');

interface Listed {
  pid: number;
  parent: number;
  /** In ticks after the system's start: tells two processes with one number apart. */
  start: string;
  command: string;
}

function list(): Listed[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const [, state, parent, start] = /^\d+ \(.*\) (\S) (\d+) (?:\S+ ){17}(\d+)/s.exec(
        fs.readFileSync(`/proc/${pid}/stat`, 'utf8'),
      )!;
      const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      // One that has ended stays listed until its parent has asked for its status: as a zombie, and just before without
      // memory, and so without a command.
      return state === 'Z' || !command ? [] : [{ pid: Number(pid), parent: Number(parent), start, command }];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}

function isMarked(pid: number, mark: string): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`).includes(mark);
  } catch {
    return false;
  }
}

/** Seconds in which all have to end on a machine that is busy with other things; what is measured is how long it took. */
const PATIENCE = 15;

export const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** A command, at the head of a process group as a terminal makes it; the folder for its temporary files is its mark. */
export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  log = '';
  readonly #mark = fs.mkdtempSync(path.join(os.tmpdir(), 'started-'));
  #below: Listed[] = [];

  constructor(program: string, args: string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(program, args, {
      env: { ...env, TMPDIR: this.#mark },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (data) => {
        this.log += data;
      });
    }
    this.ended = new Promise((resolve) => this.child.on('exit', resolve));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** To the group that a terminal signals. */
  signalAll(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.child.pid!, signal);
    } catch {
      // All of it has ended.
    }
  }

  /** All that are alive: those that were below the command whenever this was asked, and those with its mark. */
  alive(): Listed[] {
    const now = list();
    const below = [this.child.pid];
    for (const each of below) below.push(...now.filter(({ parent }) => parent === each).map(({ pid }) => pid));
    const known = (one: Listed) => this.#below.some(({ pid, start }) => pid === one.pid && start === one.start);
    this.#below = now.filter((one) => below.includes(one.pid) || known(one) || isMarked(one.pid, this.#mark));
    return this.#below;
  }

  /** Seconds until all have ended; those that have not `limit` seconds later are counted, and ended. */
  async secondsToEnd(limit = PATIENCE): Promise<{ seconds: number; left: string[] }> {
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    while (this.alive().length > 0 && seconds() < limit) await sleep(0.05);
    const took = seconds();
    const left = this.alive();
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    fs.rmSync(this.#mark, { recursive: true, force: true, maxRetries: 3 });
    return { seconds: took, left: left.map(({ command }) => command.slice(0, 160)) };
  }
}

/** How a person, a terminal or a system ends a command: `npm` alone, or the group that a terminal signals. */
export const WAYS: Record<string, (started: Started) => unknown> = {
  'SIGTERM to npm': (started) => started.signal('SIGTERM'),
  'SIGHUP to npm': (started) => started.signal('SIGHUP'),
  'a closed terminal': (started) => started.signalAll('SIGHUP'),
  'Ctrl-C': (started) => started.signalAll('SIGINT'),
  'Ctrl-C twice': async (started) => {
    started.signalAll('SIGINT');
    await sleep(0.1);
    started.signalAll('SIGINT');
  },
  'kill -9 of npm': (started) => started.signal('SIGKILL'),
  'kill -9 of npm and its child': (started) => started.signalAll('SIGKILL'),
};

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
