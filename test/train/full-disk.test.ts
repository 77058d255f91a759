// A disk that is full, or read-only, at whatever is written: a small tmpfs, which takes root to mount.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { saveModel, train, writeDataset } from 'finetune-embedding';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadTiny, pairsAsData, temporaryFolder, texts } from '../fixtures/engine';
import { FIVE_STEPS, options } from './five-steps';

const mount = (...args: string[]) => spawnSync('mount', args).status === 0;

/** A tmpfs of 2 MB. */
function smallDisk() {
  const folder = temporaryFolder();
  expect(mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder)).toBe(true);
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  return { folder, remount: (option: string) => expect(mount('-o', `remount,${option}`, folder)).toBe(true) };
}

/** A run whose every evaluation is the best so far. */
function settings(outputDir: string, checkpointSeconds: number) {
  let taken = 0;
  return options({
    recipe: { ...FIVE_STEPS, dropout: 0.1, learningRate: 1e-3 },
    onStep: ({ step }) => {
      taken = step;
    },
    evaluate: async () => taken,
    checkpointSeconds,
    outputDir,
  });
}
const weights = (folder: string) => fs.readFileSync(path.join(folder, 'model.safetensors'));
const failureOf = (work: Promise<unknown>): Promise<Error | undefined> =>
  work.then(
    () => undefined,
    (error) => error,
  );

/** Whether this process may mount. */
const canMount = (() => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mount-'));
  const isMounted = mount('-t', 'tmpfs', 'tmpfs', folder);
  if (isMounted) spawnSync('umount', [folder]);
  else console.log('Skipped: no tmpfs can be mounted here, which takes root.');
  fs.rmdirSync(folder);
  return isMounted;
})();

describe.runIf(canMount)('a full disk', () => {
  it.each([
    [320, 1000, /best-\d\/model\.safetensors$/],
    [500, 1000, /\.run\/model\/onnx\/model\.onnx$/],
    [630, 0, /checkpoint-1\.safetensors$/],
    [880, 0, /checkpoint-2\.safetensors$/],
  ])('of %i KB (checkpoint seconds: %i) is told of in one sentence that names %s', async (size, seconds, file) => {
    const disk = smallDisk();
    const outputDir = path.join(disk.folder, 'exp');
    const whole = settings(path.join(temporaryFolder(), 'whole'), 1000);
    await train(await loadTiny(), whole);
    await saveModel(await loadTiny(), outputDir);
    const before = weights(outputDir);
    disk.remount(`size=${size}k`);
    const failure = await failureOf(train(await loadTiny(), settings(outputDir, seconds)));
    const [, named] = /^(\S+) cannot be written: the disk is full\. Free some space and run this again;/.exec(
      String(failure?.message),
    ) ?? [undefined, `no failure: ${failure}`];
    expect(named).toMatch(file);
    expect(weights(outputDir).equals(before)).toBe(true);
    const left = fs.readdirSync(outputDir, { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => name.endsWith('.tmp') || name === '.lock')).toEqual([]);
    disk.remount('size=4m');
    await train(await loadTiny(), settings(outputDir, seconds));
    expect(weights(outputDir).equals(weights(whole.outputDir))).toBe(true);
  });
});

describe.runIf(canMount)('a read-only disk', () => {
  it('is told of in one sentence: by a run, by a dataset, in folders that are there or are not', async () => {
    const disk = smallDisk();
    const there = path.join(disk.folder, 'there');
    await saveModel(await loadTiny(), there);
    const before = weights(there);
    disk.remount('ro');
    for (const folder of [there, path.join(disk.folder, 'not/there')]) {
      const data = pairsAsData(texts.tinyPairs);
      const [trained, saved] = [await loadTiny(), await loadTiny()];
      const works = [train(trained, settings(folder, 0)), saveModel(saved, folder)];
      for (const work of [...works, writeDataset(folder, 'train', data)]) {
        const failure = await failureOf(work);
        expect(failure?.message).toMatch(/^\S+ cannot be written: the disk is read-only\. Choose a folder that can be/);
      }
    }
    expect(weights(there).equals(before)).toBe(true);
  });
});

it.skipIf(process.platform === 'win32')('a folder without the right to write is told of in one sentence', () => {
  const folder = temporaryFolder();
  fs.chmodSync(folder, 0o555);
  const code = `
    if (process.getuid() === 0) process.setuid('nobody');
    const { writeJson } = require('finetune-embedding/dist/common/files.js');
    for (const name of ['a.json', 'not/there/a.json'])
      try { writeJson(process.argv[1] + '/' + name, 1); } catch (error) { console.log(error.message); }`;
  const { stdout } = spawnSync(process.execPath, ['-e', code, folder], { encoding: 'utf8' });
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line).toMatch(/ cannot be written: you may not write there\. Choose another folder/);
});
