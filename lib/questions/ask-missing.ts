// In: a ledger and a way to ask about a chunk. Out: what was missing, asked for and kept on disk, a few chunks at a
// time; and the account. Stop it at any time: the next run asks only what is still missing.
import pMap from 'p-map';
import { errorText } from '../common/openai';
import { StopError } from '../common/patient-calls';
import type { LlmAnswer } from './answer-cache';
import { costOf } from './cost';
import type { GenerationOptions, GenerationResult } from './generator';
import type { Entry, Ledger } from './ledger';
import type { Chat } from './llm-client';
import type { LlmSettings } from './llm-settings';

/** Chunks failing one after another that mean the model is gone; fewer if nothing ever worked. */
const FAILURES_TO_STOP = 10;
const FIRST_FAILURES_TO_STOP = 3;

/**
 * Calls that failed are tried again; a chunk that fails for good is counted in the summary, with the reason.
 * @param connect Opens what answers, if there is something to ask; an answer rejects with a {@link StopError} where the
 *   others would fail as well.
 * @throws Error if no call can succeed (wrong key, unknown model, no server), chunk after chunk fails or the disk is
 *   full; the signal's reason if it aborts. It does so once the calls that run have ended; answers that came are kept.
 */
export async function askMissing(
  ledger: Ledger,
  connect: () => Chat | Promise<Chat>,
  { concurrency = 4, price }: Pick<LlmSettings, 'concurrency' | 'price'>,
  options: Pick<GenerationOptions, 'onProgress' | 'signal'>,
): Promise<GenerationResult> {
  const missing = ledger.missing();
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const progress = { done: ledger.chunks.length, failed: 0, total: ledger.chunks.length };
  for (const entry of missing) progress.done -= entry.copies;
  let cost = 0;
  let anySuccess = false;
  let failedInARow = 0;

  let waiting = '';
  const report = () => options.onProgress?.({ ...progress, costSoFar: price && cost, ...(waiting && { waiting }) });
  const say = (why: string) => {
    if (why === waiting) return;
    waiting = why;
    report();
  };

  /** Notes a failure; throws if going on makes no sense. */
  const fail = (entry: Entry, error: unknown) => {
    const message = errorText(error);
    progress.failed += entry.copies;
    waiting = '';
    ledger.addProblem(entry, message);
    if (error instanceof StopError) throw new Error(`Stopped; answers so far are kept. ${message}`);
    if (++failedInARow >= (anySuccess ? FAILURES_TO_STOP : FIRST_FAILURES_TO_STOP))
      throw new Error(
        `Stopped: ${failedInARow} chunks in a row failed; answers so far are kept. ` +
          `The last one, chunk ${entry.chunk.id}: ${message}`,
      );
  };

  const askAbout = async (entry: Entry) => {
    while (ledger.isMissing(entry)) {
      let answer: LlmAnswer;
      try {
        answer = await chat!.ask(ledger.request(entry), { signal, say });
      } catch (error) {
        signal.throwIfAborted();
        fail(entry, error);
        break;
      }
      anySuccess = true;
      failedInARow = 0;
      cost += costOf(answer, price);
      ledger.keep(entry, answer);
    }
    progress.done += entry.copies;
    report();
  };

  report();
  const chat = missing.length > 0 ? await connect() : undefined;
  // After an error no further call starts, and those that run end before it is thrown: none is left to write alone.
  const unlessStopped = async (entry: Entry) => {
    if (!signal.aborted) await askAbout(entry).catch((error) => stop.abort(error));
  };
  await pMap(missing, unlessStopped, { concurrency });
  signal.throwIfAborted();
  return ledger.result(missing.length);
}
