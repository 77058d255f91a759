import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createOpenAIEmbedder, type Embeddings, openAISkipReason } from 'finetune-embedding';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from './helpers';

const KEY = 'test-key-0123456789abcdef';

let server: Server;
let requests: { body: { input: string[]; model: string }; authorization?: string; at: number }[];
/** Answers a request in place of the vectors; undefined lets the vectors through. */
let intervene: ((count: number, response: ServerResponse) => boolean) | undefined;

/** A vector that tells which text it is of. */
function vectorOf(text: string): number[] {
  return [...createHash('sha256').update(text).digest().subarray(0, 4)].map((byte) => byte / 256);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const part of request) text += part;
  requests.push({ body: JSON.parse(text), authorization: request.headers.authorization, at: Date.now() });
  if (intervene?.(requests.length, response)) return;
  const { input, model } = requests[requests.length - 1].body;
  const data = input.map((item, index) => ({ object: 'embedding', index, embedding: vectorOf(item) }));
  // Out of order, as the API allows.
  respond(response, 200, {
    object: 'list',
    model,
    data: data.reverse(),
    usage: { prompt_tokens: 1, total_tokens: 1 },
  });
}

function respond(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

beforeEach(async () => {
  requests = [];
  intervene = undefined;
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OPENAI_API_KEY', KEY);
  vi.stubEnv('OPENAI_BASE_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const rowsOf = ({ data, columns, rows }: Embeddings['vectors']) =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);

describe('the OpenAI embedder', () => {
  it('gives each text its vector, in bounded batches, and pays for none twice', async () => {
    const cacheDir = temporaryFolder();
    const texts = [...Array.from({ length: 300 }, (_, i) => `text number ${i}`), 'text number 7'];
    const progress: number[] = [];
    const first = await createOpenAIEmbedder({ cacheDir }).embedQueries(texts, (done) => progress.push(done));
    expect(rowsOf(first)).toEqual(texts.map(vectorOf));
    expect(requests.map(({ body }) => body.input.length)).toEqual([128, 128, 44]);
    expect(requests[0].body.model).toBe('text-embedding-3-small');
    expect(requests[0].authorization).toBe(`Bearer ${KEY}`);
    expect(progress).toEqual([0, 128, 256, 300]);

    const again = await createOpenAIEmbedder({ cacheDir }).embedDocuments([...texts, 'one more']);
    expect(requests).toHaveLength(4);
    expect(requests[3].body.input).toEqual(['one more']);
    expect(rowsOf(again.vectors)).toEqual([...texts, 'one more'].map(vectorOf));
    expect([...again.owners]).toEqual(texts.map((_, i) => i).concat(301));

    await createOpenAIEmbedder({ cacheDir, model: 'other' }).embedQueries(['one more']);
    expect(requests).toHaveLength(5);
  });

  it('keeps neither key nor text on disk', async () => {
    const cacheDir = temporaryFolder();
    await createOpenAIEmbedder({ cacheDir }).embedQueries(['a text that nobody should read']);
    const files = readdirSync(cacheDir, { recursive: true, encoding: 'utf8' }).map((name) => join(cacheDir, name));
    const vectors = files.filter((file) => statSync(file).isFile());
    expect(vectors).toHaveLength(1);
    expect(vectors[0]).toMatch(/[0-9a-f]{64}\.f32$/);
    expect(readFileSync(vectors[0])).toHaveLength(16);
  });

  it('splits a document into windows', async () => {
    const embedder = createOpenAIEmbedder({ cacheDir: temporaryFolder(), windows: { size: 4, stride: 3 } });
    const { owners } = await embedder.embedDocuments(['one two three four five six', 'one']);
    expect([...owners]).toEqual([0, 0, 1]);
    expect(requests[0].body.input).toEqual(['one two three four', ' four five six', 'one']);
    expect(embedder.name).toBe('text-embedding-3-small (windows)');
  });

  it('cuts inputs at 8191 tokens, between characters, and bounds the tokens of a request', async () => {
    const long = ' word'.repeat(9000);
    await createOpenAIEmbedder({ cacheDir: temporaryFolder() }).embedQueries([long, '\u{1F9EA}'.repeat(9000)]);
    expect(requests[0].body.input[0]).toBe(' word'.repeat(8191));
    expect(requests[0].body.input[1]).toMatch(/^(\u{1F9EA})+$/u);
    requests = [];
    const many = Array.from({ length: 15 }, (_, i) => `${i}${long}`);
    await createOpenAIEmbedder({ cacheDir: temporaryFolder() }).embedQueries(many);
    expect(requests.map(({ body }) => body.input.length)).toEqual([12, 3]);
  });

  it('waits as long as the server asks, then tries again', async () => {
    intervene = (count, response) => {
      if (count > 2) return false;
      respond(response, 429, { error: { message: 'slow down' } }, { 'retry-after': count === 1 ? '1' : '0' });
      return true;
    };
    const vectors = await createOpenAIEmbedder({ cacheDir: temporaryFolder() }).embedQueries(['text']);
    expect(rowsOf(vectors)).toEqual([vectorOf('text')]);
    expect(requests).toHaveLength(3);
    expect(requests[1].at - requests[0].at).toBeGreaterThanOrEqual(990);
  });

  it('explains refusals, and never shows the key', async () => {
    const embedder = createOpenAIEmbedder({ cacheDir: temporaryFolder(), model: 'no-such-model' });
    const refusal = async (status: number, message: string) => {
      intervene = (_, response) => {
        respond(response, status, { error: { message } });
        return true;
      };
      const error: Error = await embedder.embedQueries(['text']).then(
        () => expect.unreachable('the server refused'),
        (reason) => reason,
      );
      expect(`${error.stack}${JSON.stringify(error)}${error.cause}`).not.toContain(KEY);
      return error.message;
    };
    expect(await refusal(401, `Incorrect API key provided: ${KEY}`)).toMatch(/refuses the key in OPENAI_API_KEY/);
    expect(await refusal(404, 'no such model')).toMatch(/"no-such-model".*404 no such model.*OPENAI_EMBEDDING/);
    expect(await refusal(400, `bad input, from ${KEY}`)).toMatch(/bad input, from \[key\]/);
  });

  it.each([
    [500, 'input (712 tokens) is too large to process. increase the physical batch size (current batch size: 512)'],
    [413, 'Input validation error: `inputs` must have less than 512 tokens. Given: 712'],
    [400, "This model's maximum context length is 512 tokens. However, you requested 712 tokens in the input"],
  ])('names the limit of a server that takes shorter texts (%i), and asks once', async (status, message) => {
    vi.stubEnv('OPENAI_API_KEY', '');
    intervene = (_, response) => {
      respond(response, status, { error: { message } });
      return true;
    };
    const asked = createOpenAIEmbedder({ cacheDir: temporaryFolder() }).embedQueries(['text']);
    await expect(asked).rejects.toThrow(/512.*too long for the model, or for the server/);
    expect(requests).toHaveLength(1);
  });

  it('refuses empty texts, and answers that are short of a vector', async () => {
    const embedder = createOpenAIEmbedder({ cacheDir: temporaryFolder() });
    await expect(embedder.embedDocuments(['text', ' '])).rejects.toThrow(/document 1 is empty/);
    expect(requests).toHaveLength(0);
    intervene = (_, response) => {
      respond(response, 200, { object: 'list', data: [{ index: 0, embedding: [1, 2] }] });
      return true;
    };
    await expect(embedder.embedQueries(['one', 'two'])).rejects.toThrow(/one vector for each of 2 texts/);
  });

  it('says why it is skipped', () => {
    expect(openAISkipReason()).toBeNull();
    vi.stubEnv('OPENAI_API_KEY', '');
    expect(openAISkipReason()).toBeNull(); // a server of one's own may need no key
    vi.stubEnv('OPENAI_BASE_URL', '');
    expect(openAISkipReason()).toMatch(/skipped: OPENAI_API_KEY is not set/);
    expect(() => createOpenAIEmbedder({ cacheDir: temporaryFolder() })).toThrow(/OPENAI_API_KEY is not set/);
  });
});
