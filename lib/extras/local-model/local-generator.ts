// Chunks go in; questions by a small instruct model on this machine come out. Stop it at any time: answers are on disk,
// and the next run asks only what is missing.

import { AnswerCache, answerKey } from '../../questions/answer-cache';
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from '../../questions/generator';
import { Ledger } from '../../questions/ledger';
import { cacheFile, type LlmSettings } from '../../questions/llm-settings';
import { asksForSameLanguage, EXAM_PROMPT, fillPrompt } from '../../questions/prompt';
import { type AnswerPrompt, loadLocalModel } from './local-model';

export type LocalSettings = Pick<LlmSettings, 'model' | 'cacheDir' | 'prompt'>;

/** Room for a question in JSON, and for the JSON around all of them. */
const TOKENS_PER_QUESTION = 64;
const TOKENS_AROUND = 64;
/** The model gives one answer only to the same prompt, so that asking again is of no use. */
const ANSWERS_PER_CHUNK = 1;
const FAILURES_TO_STOP = 3;

/** Asks a model that runs here, through transformers.js, to set an exam about every chunk. */
export class LocalQuestionGenerator implements QuestionGenerator {
  readonly name = 'local';
  readonly description: string;

  /**
   * @param load How to get the model; transformers.js by default.
   * @throws Error if no model is named.
   */
  constructor(
    private readonly settings: LocalSettings,
    private readonly load: (model: string) => Promise<AnswerPrompt> = loadLocalModel,
  ) {
    if (!settings.model) throw new Error('LLM_MODEL is empty; name the model that shall write the questions.');
    this.description = `${settings.model} on this machine`;
  }

  /** The chunks that `generate` would ask the model about, since the cache has no answer. */
  async missing(chunks: SourceChunk[], options: GenerationOptions): Promise<SourceChunk[]> {
    const { ledger } = await this.open(chunks, options);
    return ledger.missing().map((entry) => entry.chunk);
  }

  /**
   * Questions for every chunk, one chunk at a time. A chunk the model fails on is named in the summary.
   * @throws Error if the model can't be had, or fails on three chunks in a row; the signal's reason if it aborts, after
   *   the chunk at hand. Answers that came are kept either way.
   */
  async generate(chunks: SourceChunk[], options: GenerationOptions): Promise<GenerationResult> {
    const { questionsPerChunk, onProgress, signal } = options;
    signal?.throwIfAborted();
    const { ledger, cache } = await this.open(chunks, options);
    const missing = ledger.missing();
    const answer = missing.length > 0 ? await this.load(this.settings.model) : undefined;
    const started = Date.now();
    const progress = { done: chunks.length, failed: 0, total: chunks.length };
    for (const entry of missing) progress.done -= entry.copies;
    onProgress?.({ ...progress });
    let inARow = 0;
    for (const [at, entry] of missing.entries()) {
      signal?.throwIfAborted();
      const prompt = fillPrompt(this.settings.prompt ?? EXAM_PROMPT, entry.chunk, questionsPerChunk);
      try {
        const text = await answer!(prompt, questionsPerChunk * TOKENS_PER_QUESTION + TOKENS_AROUND);
        await cache.append({ key: entry.key, chunk: entry.chunk.id, model: this.settings.model, answer: text });
        ledger.add(entry, text);
        inARow = 0;
      } catch (error) {
        progress.failed += entry.copies;
        ledger.addProblem(entry, error);
        if (++inARow === FAILURES_TO_STOP)
          throw new Error(
            `Stopped: ${this.description} failed on ${inARow} chunks in a row; answers so far are kept. ` +
              `The last one, chunk ${entry.chunk.id}: ${error instanceof Error ? error.message : String(error)}`,
          );
      }
      progress.done += entry.copies;
      const secondsEach = (Date.now() - started) / 1000 / (at + 1);
      onProgress?.({ ...progress, secondsLeft: secondsEach * (missing.length - at - 1) });
    }
    return ledger.result(missing.length);
  }

  private async open(
    chunks: SourceChunk[],
    { questionsPerChunk, corpus }: GenerationOptions,
  ): Promise<{ ledger: Ledger; cache: AnswerCache }> {
    const { model, prompt = EXAM_PROMPT, cacheDir } = this.settings;
    const keyOf = (chunk: SourceChunk): string =>
      answerKey({
        message: fillPrompt(prompt, chunk, questionsPerChunk),
        questionsPerChunk,
        model,
        server: 'transformers.js',
      });
    const ledger = new Ledger(chunks, keyOf, questionsPerChunk, {
      answersPerChunk: ANSWERS_PER_CHUNK,
      sameLanguage: asksForSameLanguage(this.settings),
    });
    const cache = new AnswerCache(cacheFile(cacheDir, corpus ?? 'corpus'));
    await ledger.readCache(cache);
    return { ledger, cache };
  }
}
