// One process at a time in a folder: real processes, some killed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { withLock } from 'finetune-embedding/dist/common/lock.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A process that works in the folder for so many milliseconds, and notes in a file when it begins and ends. */
function worker(milliseconds: number) {
  const code = `
    const { withLock } = require('finetune-embedding/dist/common/lock.js');
    const fs = require('node:fs');
    const note = (what) => fs.appendFileSync(${JSON.stringify(at('notes'))}, what + ' ' + process.pid + '\\n');
    withLock(${JSON.stringify(folder)}, async () => {
      note('begin');
      console.log('begun');
      await new Promise((resolve) => setTimeout(resolve, ${milliseconds}));
      note('end');
    }).catch((error) => console.log(error.message));`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const hasBegun = new Promise<void>((resolve) =>
    child.stdout.on('data', (text) => {
      output += text;
      resolve();
    }),
  );
  const ended = new Promise<string>((resolve) => child.on('close', () => resolve(output)));
  return { child, hasBegun, ended };
}

/** A lock as a process of this number leaves it. */
function leaveLock(holder: object) {
  fs.mkdirSync(at('.lock'));
  fs.writeFileSync(at('.lock/holder.json'), JSON.stringify({ host: os.hostname(), since: 'yesterday', ...holder }));
}
const isFree = () => withLock(folder, async () => true);

describe('withLock', () => {
  it('tells the second who works there and since when, and lets it touch nothing', async () => {
    const first = worker(60_000);
    await first.hasBegun;
    const before = fs.readdirSync(folder);
    let hasWorked = false;
    const second = withLock(folder, async () => {
      hasWorked = true;
    });
    const since = new Date().toLocaleDateString('sv');
    await expect(second).rejects.toThrow(new RegExp(`in use by process ${first.child.pid}, since ${since} \\d\\d:`));
    expect(hasWorked).toBe(false);
    expect(fs.readdirSync(folder)).toEqual(before);
    first.child.kill('SIGKILL');
    await first.ended;
  });

  it('is free after a holder that was killed; its temporary files are gone, others stay', async () => {
    const first = worker(60_000);
    await first.hasBegun;
    fs.writeFileSync(at(`model.safetensors.${first.child.pid}.tmp`), 'half');
    fs.writeFileSync(at(`mine.${process.pid}.tmp`), 'being written');
    fs.writeFileSync(at('my.tmp'), 'somebody’s own');
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await isFree()).toBe(true);
    expect(fs.readdirSync(folder).sort()).toEqual([`mine.${process.pid}.tmp`, 'my.tmp', 'notes']);
  });

  it('is free after work that ended, or failed', async () => {
    await expect(withLock(folder, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await isFree()).toBe(true);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('is free where the holder’s number is another process’s by now', async () => {
    leaveLock({ pid: process.ppid, started: '1' });
    expect(await isFree()).toBe(true);
  });

  it('is taken where the holder is on another machine, and the message says how to clear it', async () => {
    leaveLock({ pid: 1, host: 'elsewhere' });
    await expect(isFree()).rejects.toThrow(/in use by process 1 on elsewhere, since yesterday.*delete .*\.lock/s);
  });

  it('is not for two calls of one process', async () => {
    await withLock(folder, () => expect(isFree()).rejects.toThrow(`in use by process ${process.pid} (this one)`));
  });

  it('lets one in at a time when six come at once, over the lock of a dead one', async () => {
    const dead = worker(60_000);
    await dead.hasBegun;
    dead.child.kill('SIGKILL');
    await dead.ended;
    fs.rmSync(at('notes'));
    const outputs = await Promise.all(Array.from({ length: 6 }, () => worker(200).ended));
    const entered = outputs.filter((output) => output.startsWith('begun'));
    expect(entered.length).toBeGreaterThan(0);
    for (const output of outputs) expect(output).toMatch(/^begun|in use by process/);
    const notes = fs.readFileSync(at('notes'), 'utf8').trimEnd().split('\n');
    // Each that begins ends before the next begins.
    notes.forEach((note, i) => {
      expect(note).toBe(i % 2 ? notes[i - 1].replace('begin', 'end') : note.replace('end', 'begin'));
    });
    expect(notes.length).toBe(2 * entered.length);
  });
});
