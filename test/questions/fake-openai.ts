// A real HTTP server that speaks OpenAI's API, and plays the faults of real servers at random from a seed.
// What happens to a request depends on the seed, its content and how often it came, never on the order of arrival.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchDesk, createBatchDesk } from '../extras/fake-batches';

/** Fault → how often it is played, compared with the others; at 0 only where a test asks for it. */
export const FAULTS = {
  '429 with Retry-After': 0.2,
  '429 without Retry-After': 1,
  '500': 1,
  reset: 1,
  stall: 0.1,
  'stall half-way': 0.1,
  'truncated body': 1,
  'truncated JSON': 1,
  'prose around JSON': 1,
  'empty answer': 1,
  'other language': 1,
  refusal: 1,
  '10 MB answer': 0.1,
  rambling: 1,
  drip: 0.1,
  'endless answer': 0,
};
export type Fault = keyof typeof FAULTS;

export interface FakeOptions {
  seed?: number;
  /** Share of calls that meet a fault; 0 by default. */
  faultRate?: number;
  /** Faults to choose from, with their weights; all by default. */
  faults?: Partial<Record<Fault, number>>;
  /** What `Retry-After` says; a second by default. */
  retryAfter?: string;
  /** The only key accepted; any, or none, by default. */
  apiKey?: string;
  /** The only model known; any by default. */
  model?: string;
  /** The status with which `response_format` is refused; it is understood by default. */
  refuseStructure?: number;
  /** The questions answered to a passage. */
  questions?: (passage: string, count: number) => string[];
  /** The whole text answered to a passage, instead of JSON with `questions`. */
  answer?: (passage: string, count: number) => string;
  /** Passages that are refused as too long for the model. */
  tooLong?: (passage: string) => boolean;
  /** Whether the account's money is spent. */
  quotaSpent?: boolean;
  /** Milliseconds a call takes; 0 by default. */
  delay?: number;
  /** Calls it works on at once; the others wait their turn. Any number by default. */
  slots?: number;
  /** Parts of a request, such as `temperature`, that are refused by name. */
  refuse?: string[];
  /** Thinks for so many tokens first, out of the answer's. */
  thoughts?: number;
  /** Where it listens; anywhere by default. */
  port?: number;
}

/** What the fake reads of a request. */
export interface RequestBody {
  model?: string;
  messages?: { content: string }[];
  response_format?: unknown;
  input?: string | string[];
  max_tokens?: number;
  max_completion_tokens?: number;
  temperature?: number;
  seed?: number;
  dimensions?: number;
  encoding_format?: string;
}

export interface Call {
  path: string;
  /** The passage of a chat, undefined elsewhere. */
  passage?: string;
  body: RequestBody;
  at: number;
  fault?: Fault;
  /** True once an answer with questions of use in it was sent to the end. */
  answered: boolean;
}

export class FakeOpenAI {
  readonly calls: Call[] = [];
  readonly batches: BatchDesk;
  private readonly server: Server;
  private readonly timesAsked = new Map<string, number>();
  private busy = 0;
  /** Most calls that were worked on at once. */
  busiest = 0;

  private constructor(private readonly options: FakeOptions) {
    this.batches = createBatchDesk((body) => completion(body, contentOf(body, options)));
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error) => sendError(response, 500, String(error)));
    });
  }

  static async start(options: FakeOptions = {}): Promise<FakeOpenAI> {
    const fake = new FakeOpenAI(options);
    await new Promise<void>((resolve) => fake.server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return fake;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** Stops the server; a second call does nothing. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBody(request);
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    const { apiKey, model } = this.options;
    const given = request.headers.authorization?.replace(/^Bearer /, '');
    if (apiKey && given !== apiKey)
      return sendError(response, 401, `Incorrect API key provided: ${given}.`, 'invalid_api_key');
    if (this.batches.handle(request.method ?? 'GET', path, request.headers['content-type'] ?? '', raw, response))
      return;

    const body: RequestBody = JSON.parse(raw.toString('utf8'));
    const call: Call = { path, passage: passageOf(body), body, at: Date.now(), answered: false };
    this.calls.push(call);
    if (model && body.model !== model)
      return sendError(response, 404, `The model ${body.model} does not exist`, 'model_not_found');
    if (this.options.quotaSpent)
      return sendError(response, 429, 'You exceeded your current quota', 'insufficient_quota');
    if (this.options.tooLong?.(call.passage ?? ''))
      return sendError(response, 400, "This model's maximum context length is 5 tokens", 'context_length_exceeded');
    const unknown = this.options.refuse?.find((name) => name in body);
    if (unknown) return sendError(response, 400, `Unsupported parameter: '${unknown}'`, 'unsupported_parameter');
    await this.work(response);
    if (response.destroyed) return;
    call.fault = this.drawFault(path + JSON.stringify(body.messages ?? body.input));
    if (call.fault && playTransportFault(call.fault, request, response, this.options.retryAfter)) return;

    if (path === '/v1/embeddings') return sendJson(response, embeddings(body));
    if (path !== '/v1/chat/completions') return sendError(response, 404, `Unknown path ${path}`);
    if (body.response_format && this.options.refuseStructure)
      return sendError(
        response,
        this.options.refuseStructure,
        'response_format type must be "text", but is json_schema',
      );
    const answer = contentOf(body, this.options, call.fault);
    if (call.fault === 'truncated body') {
      const whole = JSON.stringify(completion(body, answer));
      return sendText(response, whole.slice(0, whole.length / 2));
    }
    response.on('finish', () => {
      call.answered = Boolean(answer.content) && call.fault !== 'other language';
    });
    sendJson(response, completion(body, answer));
  }

  /** Takes a slot for as long as the call takes; one that nobody waits for any more is let go. */
  private async work(response: ServerResponse): Promise<void> {
    const { delay = 0, slots = Number.POSITIVE_INFINITY } = this.options;
    while (this.busy >= slots && !response.destroyed) await sleep(2);
    if (response.destroyed) return;
    this.busiest = Math.max(this.busiest, ++this.busy);
    for (const end = Date.now() + delay; Date.now() < end && !response.destroyed; ) await sleep(2);
    this.busy--;
  }

  private drawFault(content: string): Fault | undefined {
    const { seed = 0, faultRate = 0, faults = FAULTS } = this.options;
    const asked = (this.timesAsked.get(content) ?? 0) + 1;
    this.timesAsked.set(content, asked);
    const hash = createHash('sha256').update(`${seed}\n${asked}\n${content}`).digest();
    if (hash.readUInt32BE(0) / 2 ** 32 >= faultRate) return undefined;
    const weights = Object.entries(faults) as [Fault, number][];
    let left = (hash.readUInt32BE(4) / 2 ** 32) * weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [fault, weight] of weights) {
      left -= weight;
      if (left < 0) return fault;
    }
    return undefined;
  }
}

/** Faults below the API; true if the fault has been played. */
function playTransportFault(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  retryAfter = '1',
): boolean {
  if (fault === '429 with Retry-After') response.setHeader('retry-after', retryAfter);
  if (fault.startsWith('429')) sendError(response, 429, 'Rate limit reached', 'rate_limit_exceeded');
  else if (fault === '500') sendError(response, 500, 'The server had an error');
  else if (fault === 'reset') request.socket.destroy();
  else if (fault === 'stall half-way')
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"id": "');
  else if (fault === 'endless answer') {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"id": "');
    Readable.from(endless()).pipe(response);
  } else if (fault === 'drip') {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  } else return fault === 'stall';
  return true;
}

function* endless() {
  const megabyte = 'x'.repeat(2 ** 20);
  while (true) yield megabyte;
}

interface Answer {
  content: string | null;
  refusal?: string;
  finish?: string;
}

function contentOf(body: RequestBody, options: FakeOptions, fault?: Fault): Answer {
  const passage = passageOf(body) ?? '';
  const count = Number(/exactly (\d+)/.exec(messageOf(body))?.[1] ?? 2);
  if (options.answer) return { content: options.answer(passage, count) };
  const questions = (options.questions ?? questionsLike(messageOf(body)))(passage, count);
  const json = JSON.stringify({ questions });
  const room = body.max_tokens ?? body.max_completion_tokens ?? Number.POSITIVE_INFINITY;
  if (options.thoughts && options.thoughts + 60 > room) return { content: '<think>Let me see, ', finish: 'length' };
  switch (fault) {
    case 'truncated JSON':
      // Inside the last question, the way a token limit cuts.
      return { content: json.slice(0, json.length - 8), finish: 'length' };
    case 'prose around JSON':
      return { content: `Sure! Here are the questions [as asked]:\n\n\`\`\`json\n${json}\n\`\`\`\nGood luck!` };
    case 'rambling':
      // Only the limit that the request sets ends it.
      return { content: `${json.slice(0, -2)}${', "3"'.repeat(Math.min(room, 1e7) / 4)}`, finish: 'length' };
    case 'empty answer':
      return { content: '' };
    case 'other language':
      return { content: JSON.stringify({ questions: questions.map((_, i) => `¿Qué dice la sección ${i + 1}?`) }) };
    case 'refusal':
      return { content: null, refusal: 'I cannot help with that.' };
    case '10 MB answer': {
      const more = `${JSON.stringify(questions[0])},`;
      return { content: `{"questions": [${more.repeat(Math.ceil(10 * 2 ** 20) / more.length)}${json.slice(14)}` };
    }
    default:
      return { content: json };
  }
}

/** Distinct questions, keywords or claims, as the message asks for, made of the passage's longest words. */
function questionsLike(message: string): (passage: string, count: number) => string[] {
  return (passage, count) => {
    const words = [...new Set(passage.match(/[\p{L}\p{N}-]+/gu) ?? ['nothing'])].sort((a, b) => b.length - a.length);
    return Array.from({ length: count }, (_, i) => {
      const [first, second, third] = [0, 1, 2].map((n) => words[(i * 3 + n) % words.length]);
      if (/^Write exactly \d+ keyword/m.test(message)) return `${first} ${second} ${third} point ${i + 1}`;
      if (/^Write exactly \d+ claim/m.test(message))
        return `It tells of ${first}, ${second} and ${third}, point ${i + 1}.`;
      return `What is said about ${first}, ${second} and ${third}, point ${i + 1}?`;
    });
  };
}

function completion(body: RequestBody, { content, refusal, finish = 'stop' }: Answer) {
  const message = { role: 'assistant', content, refusal: refusal ?? null };
  const usage = { prompt_tokens: Math.ceil(messageOf(body).length / 4), completion_tokens: 60, total_tokens: 0 };
  const choices = [{ index: 0, message, finish_reason: finish, logprobs: null }];
  return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: body.model, choices, usage };
}

/** Hashed bags of words, of unit length: texts that share words are near. OpenAI's client asks for base64. */
function embeddings(body: RequestBody) {
  const texts: string[] = [body.input ?? []].flat();
  const data = texts.map((text, index) => {
    const vector = new Float32Array(body.dimensions ?? 64);
    for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
      vector[createHash('sha256').update(word).digest().readUInt32BE(0) % vector.length] += 1;
    }
    const norm = Math.hypot(...vector) || 1;
    const unit = vector.map((x) => x / norm);
    const embedding =
      body.encoding_format === 'base64' ? Buffer.from(unit.buffer).toString('base64') : Array.from(unit);
    return { object: 'embedding', index, embedding };
  });
  return { object: 'list', data, model: body.model, usage: { prompt_tokens: 1, total_tokens: 1 } };
}

function messageOf(body: RequestBody): string {
  return body.messages?.at(-1)?.content ?? '';
}

function passageOf(body: RequestBody): string | undefined {
  return body.messages && (/"""\n([\s\S]*)\n"""/.exec(messageOf(body))?.[1] ?? messageOf(body));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  sendText(response, JSON.stringify(value), status);
}

export function sendText(response: ServerResponse, text: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}

export function sendError(response: ServerResponse, status: number, message: string, code: string | null = null) {
  sendJson(response, { error: { message, type: 'error', param: null, code } }, status);
}
