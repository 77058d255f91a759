// One request goes in; the model's text comes out, or an error that says whether going on makes sense.

import OpenAI from 'openai';
import { publicUrl, scrub, serverUrl } from '../common/openai';
import type { LlmAnswer } from './answer-cache';
import type { LlmSettings } from './llm-settings';
import { sleep } from './pool';

/** A body larger than this is not read to its end: no answer to an exam prompt is. */
const LARGEST_BODY = 64 * 2 ** 20;
/** A server that asks for a longer wait than this, in seconds, is left alone: the user decides when to go on. */
const LONGEST_WAIT = 300;
const LONGEST_BACKOFF = 60;

/** No call can succeed: wrong key, unknown model, no money, no server. */
export class StopError extends Error {
  override name = 'StopError';
}

/** This call failed for good; others may succeed. */
export class CallError extends Error {
  override name = 'CallError';
}

/** Calls an OpenAI-compatible server, again and again where that helps. */
export class LlmClient {
  private readonly openai: OpenAI;
  private structured = true;
  private anySuccess = false;
  private pausedUntil = 0;

  constructor(private readonly settings: LlmSettings) {
    this.openai = new OpenAI({
      // The package insists on a key; servers that need none ignore it.
      apiKey: settings.apiKey || 'none',
      baseURL: serverUrl(settings),
      maxRetries: 0,
      timeout: (settings.timeoutSeconds ?? 180) * 1000,
      fetch: fetchCapped,
    });
  }

  /**
   * Asks until there is an answer or the retries are spent.
   * @param request Builds the request, with or without structured output.
   * @param seed Spreads the waits of parallel calls, the same way in every run.
   * @throws StopError, CallError, or the signal's reason.
   */
  async ask(
    request: (structured: boolean) => OpenAI.Chat.ChatCompletionCreateParamsNonStreaming,
    seed: string,
    signal?: AbortSignal,
  ): Promise<LlmAnswer> {
    const retries = this.settings.retries ?? 8;
    for (let attempt = 0; ; attempt++) {
      await sleep(Math.max(0, this.pausedUntil - Date.now()), signal);
      try {
        const answer = await this.askOnce(request, signal);
        this.anySuccess = true;
        return answer;
      } catch (error) {
        signal?.throwIfAborted();
        const message = this.describe(error);
        if (isHopeless(error)) throw new StopError(message);
        if (!this.anySuccess && attempt >= 2 && isUnreachable(error))
          throw new StopError(`No server answers at ${publicUrl(this.settings.baseURL)}: is it running? (${message})`);
        if (!isPassing(error)) throw new CallError(message);
        if (attempt >= retries) throw new CallError(`${message} (tried ${attempt + 1} times)`);
        const asked = retryAfterSeconds(error);
        if (asked > LONGEST_WAIT)
          throw new StopError(`The server asks to wait ${Math.ceil(asked)} seconds; run again then. ${message}`);
        if (asked > 0) this.pausedUntil = Math.max(this.pausedUntil, Date.now() + asked * 1000);
        const backoff = Math.min(LONGEST_BACKOFF, (this.settings.backoffSeconds ?? 1) * 2 ** attempt);
        await sleep(Math.max(asked, backoff * jitter(seed, attempt)) * 1000, signal);
      }
    }
  }

  /** One call; where the server refuses structured output, one more without. */
  private async askOnce(
    request: (structured: boolean) => OpenAI.Chat.ChatCompletionCreateParamsNonStreaming,
    signal?: AbortSignal,
  ): Promise<LlmAnswer> {
    if (!this.structured) return this.send(request(false), signal);
    try {
      return await this.send(request(true), signal);
    } catch (error) {
      if (!mayBeAboutStructure(error)) throw error;
      const answer = await this.send(request(false), signal);
      this.structured = false;
      return answer;
    }
  }

  private async send(
    body: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming,
    signal?: AbortSignal,
  ): Promise<LlmAnswer> {
    const completion = await this.openai.chat.completions.create(body, { signal });
    return readCompletion(completion);
  }

  private describe(error: unknown): string {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    // A wrong address answers 404 as well, mostly without a word about it.
    const hint =
      error instanceof OpenAI.NotFoundError && this.settings.baseURL
        ? ` (from ${publicUrl(this.settings.baseURL)}; such addresses usually end in /v1)`
        : '';
    const text = error instanceof Error ? error.message + cause + hint : String(error);
    return scrub(text, this.settings.apiKey).slice(0, 1000);
  }
}

/**
 * Reads a chat completion.
 * @throws SyntaxError if it is none; servers under load send half of one.
 */
export function readCompletion(completion: unknown): LlmAnswer {
  const { choices, usage } = (completion ?? {}) as Partial<OpenAI.Chat.ChatCompletion>;
  const choice = choices?.[0];
  if (!choice?.message) throw new SyntaxError('the server sent no chat completion');
  const note = choice.message.refusal ?? (choice.finish_reason === 'stop' ? undefined : choice.finish_reason);
  return {
    text: typeof choice.message.content === 'string' ? choice.message.content : '',
    ...(note ? { note } : {}),
    inputTokens: usage?.prompt_tokens,
    outputTokens: usage?.completion_tokens,
  };
}

/** Errors that every further call would meet as well. */
function isHopeless(error: unknown): boolean {
  if (!(error instanceof OpenAI.APIError)) return false;
  const spent = error.code === 'insufficient_quota' || error.code === 'billing_hard_limit_reached';
  return spent || error.code === 'model_not_found' || [401, 403, 404].includes(error.status);
}

/** Errors with which servers refuse structured output; several of llama.cpp's versions call it an error of their own. */
function mayBeAboutStructure(error: unknown): boolean {
  if (!(error instanceof OpenAI.APIError) || isHopeless(error)) return false;
  if (error.status === 500) return /response_format|json_schema|grammar/i.test(error.message);
  return [400, 415, 422, 501].includes(error.status);
}

/** Errors that may be gone at the next try. */
function isPassing(error: unknown): boolean {
  if (error instanceof TooLargeError) return false;
  if (error instanceof OpenAI.APIConnectionError) return true;
  if (error instanceof OpenAI.APIError && error.status !== undefined)
    return error.status >= 500 || [408, 409, 425, 429].includes(error.status);
  return true; // a broken body: cut-off JSON, a connection lost half-way
}

function isUnreachable(error: unknown): boolean {
  let cause: unknown = error;
  for (let depth = 0; cause instanceof Error && depth < 4; depth++) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') return true;
    cause = cause.cause;
  }
  return false;
}

/** Seconds the server asks to wait (RFC 9110, section 10.2.3: seconds or a date); 0 if it says nothing. */
function retryAfterSeconds(error: unknown): number {
  const headers = error instanceof OpenAI.APIError ? error.headers : undefined;
  const value = headers?.get('retry-after');
  if (!value) return 0;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, (date - Date.now()) / 1000);
}

/** A factor from 0.5 to 1, so that parallel calls do not come back in step. */
function jitter(seed: string, attempt: number): number {
  let hash = attempt + 1;
  for (let i = 0; i < seed.length; i++) hash = (Math.imul(hash, 31) + seed.charCodeAt(i)) >>> 0;
  return 0.5 + ((Math.imul(hash, 2654435761) >>> 0) / 2 ** 32) * 0.5;
}

class TooLargeError extends Error {
  override name = 'TooLargeError';
}

/** `fetch` whose answer ends in an error beyond `LARGEST_BODY` bytes. */
async function fetchCapped(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.body) return response;
  let bytes = 0;
  const capped = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(part, controller) {
        bytes += part.byteLength;
        if (bytes > LARGEST_BODY)
          controller.error(new TooLargeError(`the answer is larger than ${LARGEST_BODY / 2 ** 20} MB`));
        else controller.enqueue(part);
      },
    }),
  );
  return new Response(capped, { status: response.status, statusText: response.statusText, headers: response.headers });
}
