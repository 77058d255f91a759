// Chunks go in; questions by a language model behind an OpenAI-compatible server come out. Stop it at any time:
// the next run asks only what is missing.

import { publicUrl, scrub, serverUrl } from '../common/openai';
import { BatchState } from '../extras/batch-api/batch-state';
import { AnswerCache, type CachedAnswer, type LlmAnswer } from './answer-cache';
import { costOf } from './cost';
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from './generator';
import { Ledger } from './ledger';
import { CallError, LlmClient } from './llm-client';
import { chatRequest, requestKey } from './llm-request';
import { batchFile, cacheFile, type LlmSettings } from './llm-settings';
import { runPool } from './pool';
import { asksForSameLanguage } from './prompt';

/** Chunks failing one after another that mean the server is gone; fewer if nothing ever worked. */
const FAILURES_TO_STOP = 10;
const FIRST_FAILURES_TO_STOP = 3;

/** Asks a model of OpenAI, or of any server that speaks its API, to set an exam about every chunk. */
export class LlmQuestionGenerator implements QuestionGenerator {
  readonly name = 'openai';
  readonly description: string;

  /** @throws Error if no model is named, the server's address is none, or the key can be none. */
  constructor(private readonly settings: LlmSettings) {
    if (!settings.model) throw new Error('LLM_MODEL is empty; name the model that shall write the questions.');
    // Refused before anything is read or asked.
    serverUrl(settings);
    this.description = scrub(`${settings.model} at ${publicUrl(settings.baseURL)}`, settings.apiKey);
  }

  /** The chunks that `generate` would send to the model, since no answer is in the cache or on its way in a batch. */
  async missing(chunks: SourceChunk[], options: GenerationOptions): Promise<SourceChunk[]> {
    const { ledger } = await openLedger(this.settings, chunks, options);
    const pending = (await this.batches(options)).pendingKeys();
    return ledger.missing().flatMap(({ key, chunk }) => (pending.has(key) ? [] : [chunk]));
  }

  private batches({ corpus }: GenerationOptions): Promise<BatchState> {
    return BatchState.open(batchFile(this.settings.cacheDir, corpus ?? 'corpus'));
  }

  /**
   * Questions for every chunk. Calls that failed are tried again; a chunk that fails for good is named in the summary.
   * @throws Error if chunks are out in batches; with the server's message if no call can succeed (wrong key, unknown model, no server), or if
   *   chunk after chunk fails; the signal's reason if it aborts. Answers that came are kept either way.
   */
  async generate(chunks: SourceChunk[], options: GenerationOptions): Promise<GenerationResult> {
    options.signal?.throwIfAborted();
    const { ledger, cache } = await openLedger(this.settings, chunks, options);
    const missing = ledger.missing();
    const batches = await this.batches(options);
    const pending = batches.pendingKeys();
    const out = missing.filter(({ key }) => pending.has(key)).length;
    if (out > 0)
      throw new Error(
        `${out} chunk(s) are out in batches, and would be paid for twice: collect them first (collectBatches), or ` +
          `delete ${batches.file} to ask now.`,
      );
    const client = new LlmClient(this.settings);
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const started = Date.now();
    const progress = { done: chunks.length, failed: 0, total: chunks.length };
    for (const entry of missing) progress.done -= entry.copies;
    let finished = 0;
    let cost = 0;

    const report = () => {
      const secondsEach = (Date.now() - started) / 1000 / finished;
      const secondsLeft = finished > 0 ? secondsEach * (missing.length - finished) : undefined;
      options.onProgress?.({ ...progress, costSoFar: this.settings.price && cost, secondsLeft });
    };

    const stopIfHopeless = failureWatch();
    report();
    await runPool(
      missing,
      this.settings.concurrency ?? 4,
      async (entry) => {
        try {
          while (ledger.isMissing(entry)) {
            const answer = await client.ask(
              (structured) => chatRequest(this.settings, entry.chunk, options.questionsPerChunk, structured),
              `${entry.key}${entry.answers}`,
              signal,
            );
            cost += costOf(answer, this.settings.price);
            const record = cacheRecord(this.settings, entry.key, entry.chunk, answer);
            await cache.append(record);
            ledger.add(entry, record.answer);
          }
          stopIfHopeless();
        } catch (error) {
          signal.throwIfAborted();
          progress.failed += entry.copies;
          ledger.addProblem(entry, error);
          try {
            stopIfHopeless(error);
          } catch (reason) {
            stop.abort(reason);
            throw reason;
          }
        }
        progress.done += entry.copies;
        finished++;
        report();
      },
      options.signal,
    );
    return ledger.result(missing.length);
  }
}

/** What is known about every chunk, from the corpus' cache. */
export async function openLedger(
  settings: LlmSettings,
  chunks: SourceChunk[],
  { questionsPerChunk, corpus }: GenerationOptions,
): Promise<{ ledger: Ledger; cache: AnswerCache }> {
  const keyOf = (chunk: SourceChunk) => requestKey(settings, chunk, questionsPerChunk);
  const ledger = new Ledger(chunks, keyOf, questionsPerChunk, { sameLanguage: asksForSameLanguage(settings) });
  const cache = new AnswerCache(cacheFile(settings.cacheDir, corpus ?? 'corpus'));
  await ledger.readCache(cache);
  return { ledger, cache };
}

/** The line of the cache that keeps an answer. */
export function cacheRecord(
  settings: LlmSettings,
  key: string,
  chunk: Pick<SourceChunk, 'id'>,
  { text, note, ...tokens }: LlmAnswer,
): CachedAnswer {
  const { model, apiKey } = settings;
  const answer = scrub(text, apiKey);
  return { key, chunk: chunk.id, model, answer, ...(note ? { note: scrub(note, apiKey) } : {}), ...tokens };
}

/** Called after each chunk, with its error if it failed; throws once going on makes no sense. */
function failureWatch(): (error?: unknown) => void {
  let inARow = 0;
  let limit = FIRST_FAILURES_TO_STOP;
  return (error) => {
    if (error === undefined) {
      inARow = 0;
      limit = FAILURES_TO_STOP;
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof CallError)) throw new Error(`Stopped; answers so far are kept. ${message}`);
    if (++inARow >= limit)
      throw new Error(`Stopped: ${inARow} chunks in a row failed; answers so far are kept. ${message}`);
  };
}
