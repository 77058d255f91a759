// A model hub, and the server of large files it redirects to, on this machine: they serve one tiny model, log what they
// were asked, and misbehave as a test wants.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';

export const NAME = 'acme/tiny-encoder';
export const REVISION = 'a'.repeat(40);

export const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24));

/** What loading needs of the model. */
export const wanted: Record<string, Buffer> = {
  'config.json': Buffer.from('{"model_type": "bert"}'),
  'tokenizer.json': Buffer.from('{"model": {"type": "WordPiece"}}'),
  'modules.json': Buffer.from('[{"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]'),
  '1_Pooling/config.json': Buffer.from('{"pooling_mode_cls_token": true}'),
  'model.safetensors': weights,
};
const unwanted = ['README.md', 'pytorch_model.bin', 'onnx/model.onnx', 'onnx/config.json'];

export function writeModel(target: string, files: Record<string, Buffer | string> = wanted): string {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(target, name)), { recursive: true });
    fs.writeFileSync(path.join(target, name), content);
  }
  return target;
}

/** A request as a server saw it, and how many bytes of a file it answered with. */
export interface Served {
  url: string;
  range?: string;
  authorization?: string;
  encoding?: string;
  bytes: number;
}

export class TestHub {
  files = { ...wanted, ...Object.fromEntries(unwanted.map((name) => [name, Buffer.from('not needed')])) };
  /** The connection breaks after so many bytes of weights, in as many answers as there are numbers. */
  breakAfter: number[] = [];
  ignoreRange = false;
  /** Served instead of the weights. */
  instead?: Buffer;
  /** A small file whose first byte is changed on the way. */
  damaged?: string;
  /** Status and error code that the API, or every file, is answered with. */
  apiStatus?: [number, string?];
  fileStatus?: [number, string?];
  apiBody?: string;
  /** Never answers, or no more after an answer's first half. */
  silent?: 'api' | 'half of the api' | 'half of the weights';

  readonly log: Served[] = [];
  readonly contentLog: Served[] = [];
  endpoint = '';
  private contentEndpoint = '';
  private readonly hub = http.createServer((request, response) => this.serveHub(request, response));
  private readonly content = http.createServer((request, response) => this.serveContent(request, response));

  async start(): Promise<void> {
    [this.endpoint, this.contentEndpoint] = await Promise.all([this.hub, this.content].map(listen));
  }

  async stop(): Promise<void> {
    await Promise.all([close(this.hub), this.stopContent()]);
  }

  stopContent(): Promise<void> {
    return close(this.content);
  }

  private serveHub(request: http.IncomingMessage, response: http.ServerResponse): void {
    const served = record(this.log, request);
    const api = served.url.startsWith('/api/');
    if (api && this.silent === 'api') return;
    if (api && this.silent === 'half of the api') {
      response.write('{"sha": ');
      return;
    }
    const status = api ? this.apiStatus : this.fileStatus;
    const file = served.url.slice(`/${NAME}/resolve/${REVISION}/`.length);
    if (status) {
      refuse(response, status);
    } else if (served.url.startsWith(`/api/models/${NAME}/revision/main?`)) {
      response.end(this.apiBody ?? JSON.stringify({ _id: '1', id: NAME, sha: REVISION, lastModified: '2024-01-01' }));
    } else if (served.url === `/api/models/${NAME}/tree/${REVISION}?recursive=true&expand=false`) {
      response.end(this.listFiles());
    } else if (api || !this.files[file]) {
      refuse(response, [404]);
    } else if (file === 'model.safetensors') {
      response.writeHead(302, { location: `${this.contentEndpoint}/blob?signature=secret` }).end();
    } else {
      const content = Buffer.from(this.files[file]);
      if (file === this.damaged) content[0] ^= 1;
      served.bytes = content.length;
      response.end(content);
    }
  }

  // The answer of https://huggingface.co/api/models/<name>/tree/<revision>?recursive=true, as far as it matters here.
  private listFiles(): string {
    const folders = ['1_Pooling', 'onnx'].map((path) => ({ type: 'directory', path, size: 0, oid: 'e'.repeat(40) }));
    const files = Object.entries(this.files).map(([path, content]) => {
      const blobId = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
      const sha256 = createHash('sha256').update(content).digest('hex');
      const lfs = path.endsWith('.safetensors') ? { oid: sha256, size: content.length, pointerSize: 134 } : undefined;
      return { type: 'file', path, size: content.length, oid: lfs ? 'f'.repeat(40) : blobId, lfs };
    });
    return JSON.stringify([...folders, ...files]);
  }

  private serveContent(request: http.IncomingMessage, response: http.ServerResponse): void {
    const served = record(this.contentLog, request);
    const content = this.instead ?? weights;
    const start = this.ignoreRange || !served.range ? 0 : rangeStart(served);
    const body = content.subarray(start);
    response.writeHead(start ? 206 : 200, {
      'content-length': body.length,
      ...(start ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    const cut = this.breakAfter.shift() ?? body.length;
    if (this.silent === 'half of the weights') {
      response.write(body.subarray(0, cut / 2));
      return;
    }
    served.bytes = Math.min(cut, body.length);
    if (cut >= body.length) response.end(body);
    else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
  }
}

/** The first byte that a request asks for; NaN if it does not ask for a range. */
export function rangeStart({ range }: Served): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
}

function record(log: Served[], request: http.IncomingMessage): Served {
  const { range, authorization, 'accept-encoding': encoding } = request.headers;
  const served = { url: request.url!, range, authorization, encoding: String(encoding), bytes: 0 };
  log.push(served);
  return served;
}

function refuse(response: http.ServerResponse, [status, code]: [number, string?]): void {
  response.writeHead(status, code ? { 'x-error-code': code } : {}).end();
}

function listen(server: http.Server): Promise<string> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function close(server: http.Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((done) => server.close(() => done()));
}

/** The test's own folder, in which all runs; the project's cache in it; and the hub. */
export let folder: string;
export let cacheDir: string;
export let hub: TestHub;

/** Gives each test of a file a hub, a folder and an environment of its own. */
export function useHub(): void {
  beforeEach(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'hub-')));
    cacheDir = path.join(folder, '.cache', 'models');
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    vi.stubEnv('HF_HOME', path.join(folder, 'hf'));
    vi.stubEnv('HF_HUB_CACHE', undefined);
    vi.stubEnv('HF_TOKEN', '');
    hub = new TestHub();
    await hub.start();
    vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await hub.stop();
    fs.rmSync(folder, { recursive: true });
  });
}
