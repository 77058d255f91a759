// In: chunks, and a language model behind an OpenAI-compatible server, or in this process. Out: its questions, kept on
// disk as they come. Stop it at any time: the next run asks only what is still missing.
import pMap from 'p-map';
import { errorText, publicUrl, scrub, serverUrl } from '../common/openai';
import { StopError } from '../common/patient-calls';
import { batchFile, type LlmAnswer } from './answer-cache';
import { costOf } from './cost';
import type { GenerationOptions, GenerationResult, QuestionGenerator } from './generator';
import { type Entry, type Ledger, openLedger } from './ledger';
import { type Chat, serverChat } from './llm-client';
import type { LlmSettings } from './llm-settings';
import { examOf } from './prompt';

/** Chunks failing one after another that mean the model is gone; fewer if nothing ever worked. */
const FAILURES_TO_STOP = 10;
const FIRST_FAILURES_TO_STOP = 3;

/**
 * Asks a model of OpenAI, or of any server that speaks its API, to set an exam about every chunk.
 *
 * @param local What answers in place of a server, opened when there is something to ask.
 * @throws Error if no model is named, a style or a file of examples is none, the server's address is none, or the key
 *   can be none; from `generate` if chunks are out in batches, and as {@link askMissing}.
 */
export function createLlmGenerator(
  settings: LlmSettings,
  local?: { description: string; connect: () => Promise<Chat> },
): Required<QuestionGenerator> {
  if (!settings.model) throw new Error('LLM_MODEL is empty; name the model that shall write the questions.');
  // Refused before anything is asked.
  examOf(settings);
  serverUrl(settings);
  const server = `${settings.model} at ${publicUrl(settings.baseURL)}`;
  return {
    description: local?.description ?? scrub(server, settings.apiKey),
    missing: async (chunks, options) =>
      openLedger(settings, chunks, options)
        .missing()
        .map(({ chunk }) => chunk),
    async generate(chunks, options) {
      options.signal?.throwIfAborted();
      const ledger = openLedger(settings, chunks, options);
      const twice = ledger.missing({ out: true }).length;
      if (twice > 0)
        throw new Error(
          `${twice} chunk(s) are out in batches, and would be paid for twice: collect them first (askInBatches), or ` +
            `delete ${batchFile(settings.cacheDir, options.corpus)} to ask now.`,
        );
      return askMissing(ledger, local?.connect ?? (() => serverChat(settings)), settings, options);
    },
  };
}

/**
 * Asks what a ledger lacks, a few chunks at a time. Calls that failed are tried again; a chunk that fails for good is
 * counted in the summary, with the reason.
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
