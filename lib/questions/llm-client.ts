// In: one request. Out: the model's text, or an error that says whether going on makes sense.
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import pRetry, { type RetryContext } from 'p-retry';
import { publicUrl, scrub } from '../common/openai';
import { fetchCapped, openAIClient, TooLargeError } from '../common/openai-client';
import type { LlmAnswer } from './answer-cache';
import { StopError } from './ask-missing';
import type { LlmSettings } from './llm-settings';

/** A server that asks for a longer wait than this, in seconds, is left alone: the user decides when to go on. */
const LONGEST_WAIT = 300;

type BuildRequest = (structured: boolean) => OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

/** Calls an OpenAI-compatible server, again and again where that helps. */
export class LlmClient {
  private readonly openai: OpenAI;
  private structured = true;
  private anySuccess = false;
  private pausedUntil = 0;

  constructor(private readonly settings: LlmSettings) {
    const timeout = (settings.timeoutSeconds ?? 180) * 1000;
    // The package's own tries know neither a pause for all calls nor an end of patience.
    this.openai = openAIClient(settings, { maxRetries: 0, timeout, fetch: fetchCapped });
  }

  /**
   * Asks until there is an answer or the retries are spent.
   * @param request Builds the request, with or without structured output.
   * @param key Hexadecimal, other for each chunk: spreads the waits of parallel calls, the same way in every run.
   * @throws StopError if no call can succeed, Error if this one did not, or the signal's reason.
   */
  ask(request: BuildRequest, key: string, signal?: AbortSignal): Promise<LlmAnswer> {
    const { retries = 8, backoffSeconds = 1 } = this.settings;
    const spread = 0.5 + Number.parseInt(key.slice(0, 8), 16) / 2 ** 33; // 0.5 to 1
    const attempt = async () => {
      while (Date.now() < this.pausedUntil) await sleep(this.pausedUntil - Date.now(), undefined, { signal });
      const answer = await this.askOnce(request, signal);
      this.anySuccess = true;
      return answer;
    };
    return pRetry(attempt, {
      retries,
      minTimeout: backoffSeconds * 1000 * spread,
      maxTimeout: 60_000,
      signal,
      onFailedAttempt: (failure) => this.judge(failure),
    });
  }

  /** Throws where another try is of no use; else sets the pause that the server asks of all calls. */
  private judge({ error, attemptNumber, retriesLeft }: RetryContext): void {
    const message = this.describe(error);
    if (isHopeless(error)) throw new StopError(message);
    if (!this.anySuccess && attemptNumber >= 3 && isUnreachable(error))
      throw new StopError(`No server answers at ${publicUrl(this.settings.baseURL)}: is it running? (${message})`);
    if (!isPassing(error)) throw new Error(message);
    if (retriesLeft === 0) throw new Error(`${message} (tried ${attemptNumber} times)`);
    const asked = retryAfterSeconds(error);
    if (asked > LONGEST_WAIT)
      throw new StopError(`The server asks to wait ${Math.ceil(asked)} seconds; run again then. ${message}`);
    if (asked > 0) this.pausedUntil = Math.max(this.pausedUntil, Date.now() + asked * 1000);
  }

  /** One call; where the server refuses structured output, one more without. */
  private async askOnce(request: BuildRequest, signal?: AbortSignal): Promise<LlmAnswer> {
    const send = async (structured: boolean) =>
      readCompletion(await this.openai.chat.completions.create(request(structured), { signal }));
    if (!this.structured) return send(false);
    try {
      return await send(true);
    } catch (error) {
      if (!mayBeAboutStructure(error)) throw error;
      const answer = await send(false);
      this.structured = false;
      return answer;
    }
  }

  private describe(error: Error): string {
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    // A wrong address answers 404 as well, mostly without a word about it.
    const hint =
      error instanceof OpenAI.NotFoundError && this.settings.baseURL
        ? ` (from ${publicUrl(this.settings.baseURL)}; such addresses usually end in /v1)`
        : '';
    return scrub(`${error.message}${cause}${hint}`, this.settings.apiKey).slice(0, 1000);
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

/** Errors with which servers refuse structured output; some of llama.cpp's versions call it an error of their own. */
function mayBeAboutStructure(error: unknown): boolean {
  if (!(error instanceof OpenAI.APIError) || isHopeless(error)) return false;
  if (error.status === 500) return /response_format|json_schema|grammar/i.test(error.message);
  return [400, 415, 422, 501].includes(error.status);
}

/** Errors that may be gone at the next try: those of the connection, of the server, and cut-off answers. */
function isPassing(error: unknown): boolean {
  if (error instanceof TooLargeError) return false;
  if (!(error instanceof OpenAI.APIError) || error.status === undefined) return true;
  return error.status >= 500 || [408, 409, 425, 429].includes(error.status);
}

function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || isUnreachable(error.cause);
}

/** Seconds the server asks to wait (RFC 9110, section 10.2.3: seconds or a date); 0 if it says nothing. */
function retryAfterSeconds(error: unknown): number {
  const value = error instanceof OpenAI.APIError ? error.headers?.get('retry-after') : undefined;
  if (!value) return 0;
  const seconds = Number.isFinite(Number(value)) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Math.max(0, seconds || 0);
}
