// resolveModel downloads: against a hub and a content server that the test itself runs on this machine.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { scanCacheDir } from '@huggingface/hub';
import { resolveModel } from 'finetune-embedding/dist/model/hub/resolve.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cacheDir, folder, hub, NAME, REVISION, rangeStart, type TestHub, useHub, wanted, weights } from './hub-server';

const TOKEN = 'hf_secret_of_the_test';

useHub();

const resolve = (name = NAME, onProgress?: (done: number, total: number) => void) => resolveModel(name, { onProgress });
const failure = (name?: string) =>
  resolve(name).then(
    (found) => `resolved to ${found}`,
    (error: Error) => error.message,
  );
const modelFolder = () => path.join(cacheDir, 'models--acme--tiny-encoder');
const snapshot = () => path.join(modelFolder(), 'snapshots', REVISION);
const blobs = () => fs.readdirSync(path.join(modelFolder(), 'blobs'));
const sha256 = createHash('sha256').update(weights).digest('hex');
const listFiles = (root: string) =>
  fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .sort();

describe('a download', () => {
  it('brings the files that loading needs, and no others; the second call asks nobody', async () => {
    const calls: [number, number][] = [];
    const found = await resolve(NAME, (done, total) => calls.push([done, total]));
    expect(found).toBe(snapshot());
    expect(listFiles(found)).toEqual(Object.keys(wanted).sort());
    for (const [name, content] of Object.entries(wanted)) {
      expect(fs.readFileSync(path.join(found, name)).equals(content), name).toBe(true);
    }

    const total = Object.values(wanted).reduce((sum, { length }) => sum + length, 0);
    expect(calls.at(-1)).toEqual([total, total]);
    expect(calls.every(([, of]) => of === total)).toBe(true);
    expect(calls.every(([done], i) => i === 0 || done >= calls[i - 1][0])).toBe(true);
    expect(calls.length).toBeGreaterThan(Object.keys(wanted).length);
    expect([...hub.log, ...hub.contentLog].every(({ encoding }) => encoding === 'identity')).toBe(true);

    const asked = hub.log.length;
    expect(await resolve()).toBe(found);
    expect(hub.log).toHaveLength(asked);
  });

  it("lies in Python's layout, as another reader of it finds it", async () => {
    const found = await resolve();
    const { repos, warnings } = await scanCacheDir(cacheDir);
    expect(warnings).toEqual([]);
    expect(repos.map(({ id }) => id)).toEqual([{ name: NAME, type: 'model' }]);
    expect(repos[0].revisions).toMatchObject([{ commitOid: REVISION, refs: ['main'], path: found }]);
    expect(fs.realpathSync(path.join(found, 'model.safetensors'))).toBe(path.join(modelFolder(), 'blobs', sha256));
    // Moved elsewhere, such as into Python's cache, it is found there.
    vi.stubEnv('HF_HUB_CACHE', path.join(folder, 'moved'));
    fs.renameSync(cacheDir, path.join(folder, 'moved'));
    hub.log.length = 0;
    expect(await resolve()).toBe(found.replace(cacheDir, path.join(folder, 'moved')));
    expect(hub.log).toEqual([]);
  });

  it('of a model without sentence-transformers settings is whole, too', async () => {
    delete hub.files['modules.json'];
    delete hub.files['1_Pooling/config.json'];
    const found = await resolve();
    expect(listFiles(found)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    await hub.stop();
    expect(await resolve()).toBe(found);
  });

  it('takes up a broken connection where it broke', async () => {
    hub.breakAfter = [100_000, 50_000];
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
    expect(hub.contentLog).toHaveLength(3);
    const starts = hub.contentLog.slice(1).map(rangeStart);
    // What was sent last before a break may not have arrived.
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts[0]).toBeLessThanOrEqual(100_000);
    expect(starts[1]).toBeGreaterThan(starts[0]);
    expect(starts[1]).toBeLessThanOrEqual(starts[0] + 50_000);
    expect(hub.contentLog[2].bytes).toBe(weights.length - starts[1]);
  });

  it('starts again when the server ignores the range', async () => {
    hub.breakAfter = [100_000];
    hub.ignoreRange = true;
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
    expect(hub.contentLog.map(({ bytes }) => bytes)).toEqual([100_000, 300_000]);
  });

  it('given up half-way, is continued by the next call', async () => {
    hub.breakAfter = [40_000, 0, 0, 0];
    const message = await failure();
    expect(fs.existsSync(path.join(snapshot(), 'model.safetensors'))).toBe(false);
    expect(blobs()).not.toContain(sha256);
    expect(fs.existsSync(path.join(modelFolder(), 'refs/main'))).toBe(false);
    const kept = fs.statSync(path.join(modelFolder(), 'blobs', `${sha256}.incomplete`)).size;
    expect(kept).toBeGreaterThan(0);
    expect(message).toContain(`model.safetensors was interrupted at ${kept} of 300000 bytes`);
    hub.contentLog.length = 0;
    hub.log.length = 0;
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
    expect(hub.contentLog.map(({ range, bytes }) => [range, bytes])).toEqual([[`bytes=${kept}-`, 300_000 - kept]]);
    expect(hub.log.filter(({ url }) => url.endsWith('config.json'))).toEqual([]);
    expect(listFiles(found)).toEqual(Object.keys(wanted).sort());
  });

  it('starts again where more has been kept than the file holds', async () => {
    fs.mkdirSync(path.join(modelFolder(), 'blobs'), { recursive: true });
    fs.writeFileSync(path.join(modelFolder(), 'blobs', `${sha256}.incomplete`), Buffer.alloc(weights.length + 1));
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
    expect(hub.contentLog.map(({ range }) => range)).toEqual([undefined]);
  });

  it.each([
    ['changed', Buffer.from(weights).fill(7, 1000, 1001)],
    ['too long', Buffer.concat([weights.subarray(1), Buffer.alloc(2000)])],
  ])('refuses and removes weights that are %s', async (_, instead) => {
    hub.instead = instead;
    const message = await failure();
    expect(message).toMatch(/model\.safetensors arrived damaged and was removed: its sha256 is [0-9a-f]{64}/);
    expect(listFiles(snapshot())).not.toContain('model.safetensors');
    expect(blobs().filter((name) => name.startsWith(sha256))).toEqual([]);
    hub.instead = undefined;
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('onto a full disk is told of in one sentence, and continued by the next call', async () => {
    const spy = vi.spyOn(fs, 'appendFileSync').mockImplementation(() => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
    });
    expect(await failure()).toMatch(/blobs\/\S+\.incomplete cannot be written: the disk is full\. Free some space/);
    spy.mockRestore();
    expect(await resolve()).toBe(snapshot());
  });

  it('checks small files by their git blob id', async () => {
    hub.damaged = 'tokenizer.json';
    const message = await failure();
    expect(message).toMatch(/tokenizer\.json arrived damaged and was removed: its git-sha1 is/);
    expect(listFiles(snapshot())).not.toContain('tokenizer.json');
    expect(blobs().filter((name) => name.endsWith('.incomplete'))).toEqual([]);
  });
});

describe('HF_TOKEN', () => {
  it('goes to the hub, never to the host it redirects to, and into no message', async () => {
    vi.stubEnv('HF_TOKEN', TOKEN);
    await resolve();
    expect(hub.log.length).toBeGreaterThan(4);
    expect(hub.log.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(hub.contentLog.map(({ authorization }) => authorization)).toEqual([undefined]);

    fs.rmSync(cacheDir, { recursive: true });
    hub.fileStatus = [403, 'GatedRepo'];
    const message = await failure();
    expect(message).toContain('HF_TOKEN has no access');
    expect(message).not.toContain(TOKEN);
  });

  it('leaves signatures of addresses out of messages', async () => {
    await hub.stopContent();
    const message = await failure();
    expect(message).toMatch(/cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:\d+\)/);
    expect(message).not.toContain('secret');
  });

  it('is not printed if it is malformed', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_first\nhf_second');
    const message = await failure();
    expect(message).toContain('HF_TOKEN is not a token');
    expect(message).not.toMatch(/hf_first|hf_second/);
    expect(hub.log).toEqual([]);
  });

  it('is not sent where the address itself holds a password', async () => {
    vi.stubEnv('HF_ENDPOINT', hub.endpoint.replace('//', '//user:hunter2@'));
    const message = await failure();
    expect(message).toMatch(/HF_ENDPOINT is not the address of a hub/);
    expect(message).not.toContain('hunter2');
    expect(hub.log).toEqual([]);
  });
});

describe('a wait', () => {
  it.each([
    ['api', /cannot be reached \(no whole answer within 30 s\)/],
    ['half of the api', /no whole answer within 30 s/],
    ['half of the weights', /interrupted at \d+ of 300000 bytes \(nothing came for 30 s\).*goes on from there/],
  ] as const)('for %s ends, and says after what time', async (silent, message) => {
    hub.silent = silent;
    const { timeout } = AbortSignal;
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout.call(AbortSignal, ms / 100));
    const { setTimeout } = globalThis;
    const shorter = (run: () => void, ms?: number, ...rest: []) => setTimeout(run, ms === 30_000 ? 300 : ms, ...rest);
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(shorter as typeof setTimeout);
    // A limit that hangs on an object which nobody holds is gone with it.
    setFlagsFromString('--expose-gc');
    const collecting = setInterval(runInNewContext('gc'), 100);
    onTestFinished(() => clearInterval(collecting));
    expect(await failure()).toMatch(message);
  });
});

describe('a model that the hub does not give', () => {
  it.each<[string, Partial<TestHub>, RegExp]>([
    ['gated', { fileStatus: [401, 'GatedRepo'] }, /gated \(401; HF_TOKEN is not set\): accept its terms/],
    ['private or misspelt', { apiStatus: [401, 'RepoNotFound'] }, /no such model, or that it is private/],
    ['unknown', { apiStatus: [404] }, /no such model or file \(404\)/],
    ['behind a failing server', { apiStatus: [503] }, /answered 503 Service Unavailable/],
    ['behind a log-in page', { apiBody: '<html>Welcome</html>' }, /did not answer as a Hugging Face hub does/],
  ])('%s: says so, and how to get it without network', async (_, change, expected) => {
    Object.assign(hub, change);
    const message = await failure();
    expect(message).toMatch(expected);
    expect(message).toContain(`hf download ${NAME} --local-dir tiny-encoder`);
    expect(message).toContain('BASE_MODEL');
    expect(fs.existsSync(path.join(snapshot(), 'model.safetensors'))).toBe(false);
  });

  it('without a server: says so, and how to get it', async () => {
    await hub.stop();
    const message = await failure();
    expect(message).toMatch(/cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:\d+\)/);
    expect(message).toContain(cacheDir);
    expect(message).toContain('BASE_MODEL');
  });

  it('a folder that is not there yet: points to the training that makes it', async () => {
    expect(await failure('exp_not_trained_yet')).toMatch(/run the finetune notebook first/);
    expect(await failure('../exp_not_trained_yet')).toMatch(
      /neither a model folder .*run the finetune notebook first/s,
    );
    hub.apiStatus = [404];
    expect(await failure()).not.toMatch(/finetune notebook/);
  });

  it('pickle only: downloads nothing and says why', async () => {
    delete hub.files['model.safetensors'];
    expect(await failure()).toMatch(/only there as pytorch_model\.bin; only safetensors are read, never a pickle/);
    expect(hub.log.filter(({ url }) => !url.startsWith('/api/'))).toEqual([]);
  });

  it('a name that could leave the cache is refused before any request', async () => {
    expect(await failure('../../no/such/model')).toMatch(/neither a model folder .* nor a model's name/);
    expect(await failure('acme/a..b')).toMatch(/neither a model folder/);
    expect(await failure('')).toMatch(/neither a model folder/);
    expect(hub.log).toEqual([]);
  });
});
