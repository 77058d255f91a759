// A new version takes the place of a model: all of it or nothing, wherever it is cut off.
import fs from 'node:fs';
import path from 'node:path';
import { type EmbeddingModel, loadModel, saveModel } from 'finetune-embedding';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadTiny, temporaryFolder } from '../fixtures/engine';

/** Contents of all files of a folder, by name; what stands behind the scenes is left out. */
function contents(folder: string): Record<string, string> {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)));
  const shown = names.filter((name) => !/^\.(run|previous|lock)/.test(name)).sort();
  return Object.fromEntries(shown.map((name) => [name, fs.readFileSync(path.join(folder, name), 'base64')]));
}

/** Writes such contents into a folder. */
function write(folder: string, files: Record<string, string>): void {
  for (const [name, data] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), data, 'base64');
  }
}

let model: EmbeddingModel;
let folder: string;
const scale = (factor: number) => {
  const name = 'embeddings.LayerNorm.weight';
  const old = model.weights.get(name)!;
  model.weights.set(name, old.mul(factor));
  old.dispose();
};
/** Loads the folder's model, which finishes what was begun. */
const load = async () => (await loadModel(folder)).dispose();

let earlier: Record<string, string>;
let next: Record<string, string>;
beforeEach(async () => {
  model = await loadTiny();
  folder = path.join(temporaryFolder(), 'model');
  model.search = { windowTemperature: 0.05 };
  const other = path.join(temporaryFolder(), 'next');
  await saveModel(model, folder);
  earlier = contents(folder);
  fs.writeFileSync(path.join(folder, 'notes.txt'), 'mine');
  scale(2);
  model.search = undefined; // a file less
  await saveModel(model, other);
  next = contents(other);
  expect(Object.keys(next)).not.toEqual(Object.keys(earlier));
  for (const name of ['onnx/model.onnx', 'onnx/model_int8.onnx']) {
    expect(next[name].length).toBeGreaterThan(1000);
    expect(next[name]).not.toBe(earlier[name]);
  }
});

/** Fails at the so-manieth move of the swap. */
function failAtMove(number: number) {
  const rename = fs.renameSync;
  let moves = 0;
  const spy = vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    const isMove = /[\\/]\.run[\\/](model|earlier)/.test(`${from} ${to}`) && !`${from}`.endsWith('.tmp');
    if (isMove && ++moves === number) throw Object.assign(new Error('cut off'), { code: 'EIO', syscall: 'rename' });
    rename(from, to);
  });
  onTestFinished(() => spy.mockRestore());
  return { restore: () => spy.mockRestore(), wasReached: () => moves >= number };
}

describe('a new version', () => {
  it('takes the place of the earlier one, which is kept; a file of somebody’s own stays', async () => {
    await saveModel(model, folder);
    expect(contents(folder)).toEqual({ ...next, 'notes.txt': Buffer.from('mine').toString('base64') });
    expect(contents(path.join(folder, '.previous'))).toEqual(earlier);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual(['.previous']);
  });

  it('is finished by the next to load it or to save there, at whichever move it was cut off', async () => {
    let move = 1;
    for (; ; move++) {
      fs.rmSync(folder, { recursive: true });
      write(folder, earlier);
      fs.mkdirSync(path.join(folder, '2_Normalize'), { recursive: true });
      const fault = failAtMove(move);
      const saved = await saveModel(model, folder).then(
        () => true,
        () => false,
      );
      fault.restore();
      if (saved && !fault.wasReached()) break;
      // Weights stand only beside what belongs to them.
      const now = contents(folder);
      const weights = now['model.safetensors'];
      if (weights === next['model.safetensors']) expect(now).toEqual(next);
      else if (weights) expect(now).toEqual(earlier);
      await (move % 2 ? load() : saveModel(model, folder));
      expect(contents(folder), `move ${move}`).toEqual(next);
      if (move % 2) expect(contents(path.join(folder, '.previous'))).toEqual(earlier);
    }
    expect(move).toBeGreaterThan(Object.keys(earlier).length);
  });

  it.each(['model', 'model-entering'])('moves nothing else, whatever %s came with the folder', async (name) => {
    fs.mkdirSync(path.join(folder, '.run/earlier'), { recursive: true });
    write(path.join(folder, '.run', name), next);
    if (name === 'model-entering') for (const file of Object.keys(earlier)) fs.rmSync(path.join(folder, file));
    fs.writeFileSync(path.join(folder, '.run', name, 'notes.txt'), 'theirs');
    await load();
    expect(contents(folder)).toEqual({ ...next, 'notes.txt': Buffer.from('mine').toString('base64') });
  });

  it('leaves the earlier one as it was when it cannot be written whole', async () => {
    const before = contents(folder);
    const write = fs.writeFileSync;
    const spy = vi.spyOn(fs, 'writeFileSync').mockImplementation((file, data, options) => {
      if (data instanceof Uint8Array && data.length > 1000)
        throw Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
      write(file, data, options);
    });
    onTestFinished(() => spy.mockRestore());
    await expect(saveModel(model, folder)).rejects.toThrow(/cannot be written: the disk is full\. Free some space/);
    spy.mockRestore();
    expect(contents(folder)).toEqual(before);
    await load();
    expect(contents(folder)).toEqual(before);
  });
});
