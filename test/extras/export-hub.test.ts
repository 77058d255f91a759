// npm run export -- hub, its script run as a process against a Hub on this machine, which answers as the real one does.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TINY, temporaryFolder } from '../fixtures/engine';

const TOKEN = 'hf_canary0123456789abcdefghijklmnop';
const REPO = 'acme/tiny-search';
const INFO = `/api/models/${REPO}/revision/HEAD`;
const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

/** Asked of the Hub, in order; a file of many bytes by its checksum. */
let asked: { path: string; authorization?: string; body: string }[];
/** What is there already. */
let existing: { private: boolean } | undefined;
let server: http.Server;
let address: string;
let model: string;

beforeEach(async () => {
  asked = [];
  existing = undefined;
  model = path.join(temporaryFolder(), 'exp_finetune');
  fs.cpSync(TINY, model, { recursive: true });
  fs.writeFileSync(path.join(model, 'README.md'), '# a card\n');
  for (const name of ['.run/checkpoint-3.json', '.previous/model.safetensors', 'notes.txt', 'onnx/model.onnx'])
    fs.cpSync(path.join(TINY, 'config.json'), path.join(model, name));
  server = http.createServer(async (request, response) => {
    const name = request.url!.split('?')[0];
    const body = name.startsWith('/put/') ? sha256(await text(request).then(() => '')) : await text(request);
    asked.push({ path: name, authorization: request.headers.authorization, body });
    const [status, answer] = answerTo(name, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((done) => server.close(done)));

function answerTo(name: string, body: string): [status: number, answer: object] {
  if (name === '/api/repos/create') {
    return existing ? [409, { error: 'You already created this model repo' }] : [200, { url: `${address}/${REPO}` }];
  }
  if (name === INFO) return [200, { _id: '1', id: REPO, private: existing!.private }];
  if (name === `/api/models/${REPO}/preupload/main`) {
    const files = JSON.parse(body).files.map(({ path: file }: { path: string }) => ({
      path: file,
      uploadMode: /\.(safetensors|onnx)$/.test(file) ? 'lfs' : 'regular',
    }));
    return [200, { files }];
  }
  if (name === `/${REPO}.git/info/lfs/objects/batch`) {
    const objects = JSON.parse(body).objects.map(({ oid, size }: { oid: string; size: number }) => ({
      oid,
      size,
      actions: { upload: { href: `${address}/put/${oid}` } },
    }));
    return [200, { transfer: 'basic', objects }];
  }
  if (name.startsWith('/put/')) return [200, {}];
  if (name === `/api/models/${REPO}/commit/main`) {
    return [200, { commitOid: 'c'.repeat(40), commitUrl: `${address}/${REPO}/commit/c`, hookOutput: '' }];
  }
  return [403, { error: `No access with ${TOKEN}` }];
}

/** The script's exit code and all that it printed. */
async function run(...args: string[]) {
  const child = spawn(process.execPath, ['scripts/export.mjs', 'hub', ...args, '--model', model], {
    env: { ...process.env, HF_ENDPOINT: address, HF_TOKEN: TOKEN },
  });
  const code = new Promise<number | null>((done) => child.on('close', done));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, output: out + error };
}

describe('export -- hub', () => {
  it('shows what it would send, and sends nothing', async () => {
    const { code, output } = await run(REPO);
    expect(code).toBe(0);
    const size = fs.statSync(path.join(TINY, 'model.safetensors')).size.toLocaleString('en');
    for (const line of [`${size} bytes  model.safetensors`, 'README.md', `${REPO}, private`, 'Nothing was sent'])
      expect(output).toContain(line);
    expect(output).not.toMatch(/canary|checkpoint|previous|notes\.txt/);
    expect(asked).toEqual([]);
  });

  it('with --yes makes a private repository and sends the model, whole, with its card', async () => {
    const { code, output } = await run(REPO, '--yes');
    expect(output).toContain(`Sent: ${address}/${REPO}`);
    expect(code).toBe(0);
    expect(output).not.toContain('canary');
    expect(JSON.parse(asked[0].body)).toMatchObject({
      name: 'tiny-search',
      organization: 'acme',
      visibility: 'private',
    });
    const commit = asked.at(-1)!;
    const sent = commit.body.split('\n').map((line) => JSON.parse(line));
    const expected = [
      '1_Pooling/config.json',
      'README.md',
      'config.json',
      'model.safetensors',
      'modules.json',
      'onnx/model.onnx',
    ];
    const files = sent.slice(1).map(({ value }) => value.path);
    expect(files).toEqual(expect.arrayContaining(expected));
    expect(files.filter((name) => /^\.|notes/.test(name))).toEqual([]);
    const weights = fs.readFileSync(path.join(TINY, 'model.safetensors'));
    expect(sent.find(({ value }) => value.path === 'model.safetensors')).toMatchObject({
      key: 'lfsFile',
      value: { oid: sha256(weights), size: weights.length },
    });
    const card = sent.find(({ value }) => value.path === 'README.md').value.content;
    expect(Buffer.from(card, 'base64').toString()).toBe('# a card\n');
    expect(asked.map(({ path: name }) => name)).toContain(`/put/${sha256(weights)}`);
    const withToken = asked.filter(({ path: name }) => !name.startsWith('/put/'));
    expect(new Set(withToken.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(JSON.stringify(asked.map(({ path: name, body }) => [name, body]))).not.toContain('canary');
  });

  it('goes on with a private repository that is there, and leaves a public one alone unless told', async () => {
    existing = { private: true };
    expect((await run(REPO, '--yes')).code).toBe(0);
    existing = { private: false };
    asked = [];
    const refused = await run(REPO, '--yes');
    expect(refused.code).toBe(1);
    expect(refused.output).toMatch(/the repository is there and public/);
    expect(asked.map(({ path: name }) => name)).toEqual(['/api/repos/create', INFO]);
    expect((await run(REPO, '--yes', '--public')).output).toMatch(/PUBLIC.*Sent: /s);
  });

  it('says why the Hub refused, without the token', async () => {
    const { code, output } = await run('other/model', '--yes');
    existing = undefined;
    expect(code).toBe(1);
    expect(output).toMatch(/other\/model does not have the model: No access with \[key\]/);
    expect(output).not.toContain('canary');
  });

  it('asks for a name and a token', async () => {
    expect((await run('tiny-search')).output).toMatch(/Name the repository: hub OWNER\/NAME/);
  });
});
