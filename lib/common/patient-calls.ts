// In: a call to a server. Out: its answer, after as many tries as help, no more at once than the server can take; or an
// error that says whether going on makes sense.
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import pRetry, { type RetryContext } from 'p-retry';
import { type OpenAIServer, publicUrl, scrub } from './openai';
import { TooLargeError } from './openai-client';

/** A server that asks for a longer wait than this, in seconds, is left alone: the user decides when to go on. */
const LONGEST_WAIT = 300;
/** So often may a call that has the server to itself time out. */
const TIMEOUTS_ALONE = 2;

/** No call can succeed: wrong key, unknown model, no money, no server. */
export class StopError extends Error {
  override name = 'StopError';
}

/** How patient to be. */
export interface Patience {
  /** Calls at once, at most; fewer while calls time out. */
  concurrency?: number;
  /** How often a call that failed is tried again; 8 by default. */
  retries?: number;
  /** First wait before trying again, in seconds; doubles each time, up to a minute; 1 by default. */
  backoffSeconds?: number;
  /** Time limit of one call, in seconds, of which waiting for a place here is no part. */
  timeoutSeconds?: number;
}

/** What may end a call, and who is told why it waits; '' once nothing is in the way. */
export interface CallOptions {
  signal?: AbortSignal;
  say?: (why: string) => void;
}

/**
 * Calls a server again and again where that helps. After a time-out half as many calls run at once; each round of
 * successes adds one again (additive increase, multiplicative decrease: Chiu & Jain, 1989).
 *
 * @returns what calls until there is an answer or the retries are spent; it throws a StopError if no call can succeed,
 *   an Error if this one did not, or the signal's reason
 */
export function patientCalls(server: OpenAIServer, patience: Patience & { concurrency: number }) {
  const { concurrency, retries = 8, backoffSeconds = 1, timeoutSeconds } = patience;
  const address = publicUrl(server.baseURL);
  const queue: (() => void)[] = [];
  let limit = concurrency;
  let running = 0;
  let successes = 0;
  let lastFall = 0;
  let anySuccess = false;
  let pausedUntil = 0;

  /** Calls that started before the last fall say nothing about the new limit. */
  const fall = (started: number): void => {
    if (started < lastFall) return;
    limit = Math.max(1, limit >> 1);
    lastFall = Date.now();
    successes = 0;
  };
  const rise = (): void => {
    anySuccess = true;
    if (++successes < limit || limit === concurrency) return;
    limit++;
    successes = 0;
  };

  const describe = (error: Error): string => {
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    let hint = '';
    if (error instanceof OpenAI.AuthenticationError) hint = ` (${address} refuses the key in OPENAI_API_KEY)`;
    // A wrong address answers 404 as well, mostly without a word about it.
    if (error instanceof OpenAI.NotFoundError) hint = ` (from ${address}; such addresses usually end in /v1)`;
    if (isTooLong(error)) hint = ' (the text is too long for the model, or for the server as it was started)';
    return scrub(`${error.message}${cause}${hint}`, server.apiKey).slice(0, 1000);
  };

  /** Throws where another try is of no use; else sets the pause that the server asks of all calls. */
  const judge = ({ error, attemptNumber, retriesLeft }: RetryContext, timeoutsAlone: number): void => {
    const message = describe(error);
    if (isHopeless(error)) throw new StopError(message);
    if (!anySuccess && attemptNumber >= 3 && isUnreachable(error))
      throw new StopError(`No server answers at ${address}: is it running? (${message})`);
    if (!isPassing(error)) throw new Error(message);
    if (timeoutsAlone >= TIMEOUTS_ALONE)
      throw new Error(`No answer within ${timeoutSeconds} s, with no other call beside it.`);
    if (retriesLeft === 0) throw new Error(`${message} (tried ${attemptNumber} times)`);
    const asked = retryAfterSeconds(error);
    if (asked > LONGEST_WAIT)
      throw new StopError(`The server asks to wait ${Math.ceil(asked)} seconds; run again then. ${message}`);
    if (asked > 0) pausedUntil = Math.max(pausedUntil, Date.now() + asked * 1000);
  };

  return <T>(send: () => Promise<T>, { signal, say }: CallOptions = {}): Promise<T> => {
    let timeoutsAlone = 0;
    const attempt = async () => {
      while (Date.now() < pausedUntil) await sleep(pausedUntil - Date.now(), undefined, { signal });
      while (running >= limit) await new Promise<void>((resolve) => queue.push(resolve));
      running++;
      const started = Date.now();
      const alone = limit === 1;
      try {
        signal?.throwIfAborted();
        const answer = await send();
        rise();
        say?.(limit < concurrency ? `${limit} at once, since calls timed out` : '');
        return answer;
      } catch (error) {
        if (error instanceof OpenAI.APIConnectionTimeoutError) {
          if (alone) timeoutsAlone++;
          fall(started);
        }
        throw error;
      } finally {
        running--;
        for (const lookAgain of queue.splice(0)) lookAgain();
      }
    };
    return pRetry(attempt, {
      retries,
      minTimeout: backoffSeconds * 1000,
      maxTimeout: 60_000,
      randomize: true, // or all calls of a broken connection come back at once
      signal,
      onFailedAttempt: (failure) => {
        judge(failure, timeoutsAlone);
        const again = `trying again: ${describe(failure.error)}`;
        const seconds = Math.ceil((pausedUntil - Date.now()) / 1000);
        say?.((seconds > 1 ? `waiting ${seconds} s, then ${again}` : again).slice(0, 150));
      },
    });
  };
}

/** Errors that every further call would meet as well. */
export function isHopeless(error: unknown): boolean {
  if (!(error instanceof OpenAI.APIError)) return false;
  const spent = error.code === 'insufficient_quota' || error.code === 'billing_hard_limit_reached';
  return spent || error.code === 'model_not_found' || [401, 403, 404].includes(error.status);
}

const TOO_LONG =
  /context[_ ](length|size|window)|too (long|large)|must have less than|(maximum|exceeds?)\b.{0,60}\b(tokens|context)/i;

/** Errors by which servers refuse a text that is too long for the model; some call it an error of their own (500). */
export function isTooLong(error: unknown): boolean {
  if (!(error instanceof OpenAI.APIError) || error.status === 429) return false;
  return error.status === 413 || TOO_LONG.test(`${error.code} ${error.message}`);
}

/** Errors that may be gone at the next try: those of the connection, of the server, and cut-off answers. */
function isPassing(error: unknown): boolean {
  if (error instanceof TooLargeError || isTooLong(error)) return false;
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
