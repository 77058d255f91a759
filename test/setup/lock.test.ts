// One set-up at a time: waiting, taking over from the dead, and giving back whatever happens.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
// @ts-expect-error the scripts are plain JavaScript, without declarations
import { takeLock } from '../../scripts/setup/lock.mjs';

let folder: string;
let lock: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'));
  lock = path.join(folder, 'cache', 'setup.lock');
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
});

const inFolder = (name: string) => path.join(folder, name);
const script = (name: string) => JSON.stringify(pathToFileURL(path.resolve('scripts/setup', name)).href);

/** A lock file as another holder leaves it. */
function leave(owner: string) {
  fs.mkdirSync(path.dirname(lock), { recursive: true });
  fs.writeFileSync(lock, owner);
}

/** The number of a process that has ended. */
const endedPid = () => spawnSync(process.execPath, ['-e', '']).pid;

/** Runs code in a process of its own, as a set-up in another terminal does. */
function inProcess(code: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  let printed = '';
  child.stdout!.on('data', (data) => {
    printed += data;
  });
  const ended = new Promise<{ printed: string; code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ printed, code, signal }));
  });
  return { child, ended };
}

/** A step that leaves a line a run, and takes offence at company. */
const countingSteps = () => `
  import fs from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { runSteps } from ${script('steps.mjs')};
  const at = (name) => ${JSON.stringify(`${folder}/`)} + name;
  const step = (title) => ({
    title, stamp: at(title), inputs: () => '', advice: 'wait.',
    run: async () => {
      fs.mkdirSync(at('company'));
      await sleep(400);
      fs.rmdirSync(at('company'));
      fs.appendFileSync(at('runs'), title + '\\n');
    },
  });
  await runSteps([step('one'), step('two')], ${JSON.stringify(lock)});
`;

/** Holds the lock while a command runs that has started another one; prints the numbers of both. */
const longStep = () => `
  import { run, runSteps } from ${script('steps.mjs')};
  const step = {
    title: 'long', stamp: ${JSON.stringify(inFolder('long'))}, inputs: () => '', advice: 'wait.',
    run: () => run(['sh', '-c', 'sleep 60 & echo $$ $! > ${inFolder('pids.tmp')}; mv ${inFolder('pids.tmp')} ${inFolder('pids')}; wait']),
  };
  await runSteps([step], ${JSON.stringify(lock)});
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // An ended process whose parent has not asked for its status is still listed, as a zombie.
  return !/^\d+ \(.*\) Z/.test(fs.existsSync(`/proc/${pid}/stat`) ? fs.readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
}

describe('takeLock', () => {
  it('holds a file with the process number, and removes it when given back', async () => {
    const giveBack = await takeLock(lock);
    expect(fs.readFileSync(lock, 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    giveBack();
    expect(fs.readdirSync(path.dirname(lock))).toEqual([]);
  });

  it('waits until the holder gives back, and says once for whom', async () => {
    const giveBack = await takeLock(lock);
    const onWait = vi.fn();
    const order: string[] = [];
    const second = takeLock(lock, { onWait }).then((giveBackSecond: () => void) => {
      order.push('second');
      giveBackSecond();
    });
    await new Promise((resolve) => setTimeout(resolve, 800));
    order.push('first');
    giveBack();
    await second;
    expect(order).toEqual(['first', 'second']);
    expect(onWait.mock.calls).toEqual([[String(process.pid)]]);
  });

  it('takes over at once from a process that has ended', async () => {
    leave(`${endedPid()} ${os.hostname()} x`);
    const onWait = vi.fn();
    const giveBack = await takeLock(lock, { onWait });
    expect(fs.readFileSync(lock, 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    giveBack();
    expect(fs.readdirSync(path.dirname(lock))).toEqual([]);
    expect(onWait).not.toHaveBeenCalled();
  });

  it.each([
    ['a number that means another process by now', () => `${process.pid} ${os.hostname()} x`],
    ['another host, whose processes are not seen', () => `${endedPid()} elsewhere x`],
    ['a file cut short', () => ''],
  ])('takes over from %s when the file stays untouched', async (_, owner) => {
    leave(owner());
    const onWait = vi.fn();
    const giveBack = await takeLock(lock, { silence: 1000, onWait });
    giveBack();
    expect(onWait).toHaveBeenCalledTimes(1);
  });

  it('says for whom it waits, of a holder too that has made its file and not yet filled it', async () => {
    leave('');
    const onWait = vi.fn();
    const second = takeLock(lock, { silence: 1000, onWait });
    leave(`${process.pid} ${os.hostname()} x`);
    (await second)();
    expect(onWait.mock.calls).toEqual([[String(process.pid)]]);
  });

  it('does not take over from a holder that touches its file', async () => {
    const giveBack = await takeLock(lock);
    let isTaken = false;
    const second = takeLock(lock, { silence: 2000 }).then((giveBackSecond: () => void) => {
      isTaken = true;
      giveBackSecond();
    });
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(isTaken).toBe(false);
    giveBack();
    await second;
  });
});

describe('set-ups at the same time', () => {
  it.each([
    ['after nobody', () => {}],
    ['after one that was killed', () => leave(`${endedPid()} ${os.hostname()} x`)],
  ])('do each step once, %s', async (_, before) => {
    before();
    const all = [1, 2, 3].map(() => inProcess(countingSteps()).ended);
    const results = await Promise.all(all);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(fs.readFileSync(inFolder('runs'), 'utf8')).toBe('one\ntwo\n');
    const waits = /^set-up: waits for another set-up in this folder \(process \d+\)\n/;
    const didTheRest = results.map(({ printed }) => printed.replace(waits, '')).filter(Boolean);
    // One that starts late finds all done, and has nothing to say.
    expect(didTheRest).toEqual([expect.stringMatching(/^set-up: one … .*\nset-up: two … .*\n$/)]);
    expect(fs.existsSync(lock)).toBe(false);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('%s ends a command with all that it started, and gives the lock back', async (signal, code) => {
    const { child, ended } = inProcess(longStep());
    await vi.waitUntil(() => fs.existsSync(inFolder('pids')), { timeout: 10_000 });
    const pids = fs.readFileSync(inFolder('pids'), 'utf8').trim().split(' ').map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    child.kill(signal);
    expect((await ended).code).toBe(code);
    await vi.waitUntil(() => !pids.some(isAlive), { timeout: 10_000 });
    expect(fs.existsSync(lock)).toBe(false);
  });

  it('that were killed are followed by one that does what is left', async () => {
    const { child, ended } = inProcess(longStep());
    await vi.waitUntil(() => fs.existsSync(inFolder('pids')), { timeout: 10_000 });
    const pids = fs.readFileSync(inFolder('pids'), 'utf8').trim().split(' ').map(Number);
    child.kill('SIGKILL');
    await ended;
    expect(fs.existsSync(lock)).toBe(true);
    // They must not go on writing beside the next one.
    await vi.waitUntil(() => !pids.some(isAlive), { timeout: 2000 });
    const next = await inProcess(countingSteps()).ended;
    expect(next.printed).toMatch(/^set-up: one … .*\nset-up: two … .*\n$/);
  });
});
