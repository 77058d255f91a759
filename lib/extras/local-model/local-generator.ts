// In: chunks. Out: questions by a small instruct model on this machine.
import { answerKey } from '../../questions/answer-cache';
import { askMissing } from '../../questions/ask-missing';
import type { GenerationOptions, QuestionGenerator, SourceChunk } from '../../questions/generator';
import { Ledger } from '../../questions/ledger';
import type { LlmSettings } from '../../questions/llm-settings';
import { fillPrompt } from '../../questions/prompt';
import { type AnswerPrompt, loadLocalModel } from './local-model';

/** Room for a question in JSON, and for the JSON around all of them. */
const TOKENS_PER_QUESTION = 64;
const TOKENS_AROUND = 64;
/** The model gives one answer only to the same prompt, so that asking again is of no use. */
const ANSWERS_PER_CHUNK = 1;

/**
 * Asks a model that runs here, through transformers.js, to set an exam about every chunk, one at a time. No key and no
 * server, but seconds a chunk, and plainer questions than a large model's. Its `generate` rejects if the model can't be
 * had, or fails on chunk after chunk; on a signal it stops after the chunk at hand. Answers that came are kept on disk.
 * @param load How to get the model; transformers.js by default.
 * @throws Error if no model is named.
 */
export function createLocalGenerator(
  settings: Pick<LlmSettings, 'model' | 'cacheDir' | 'prompt'>,
  load: (model: string) => Promise<AnswerPrompt> = loadLocalModel,
): QuestionGenerator {
  const { model, cacheDir, prompt } = settings;
  if (!model) throw new Error('LLM_MODEL is empty; name the model that shall write the questions.');
  const messageFor = (chunk: SourceChunk, { questionsPerChunk }: GenerationOptions) =>
    fillPrompt(prompt, chunk, questionsPerChunk);
  const open = (chunks: SourceChunk[], options: GenerationOptions) => {
    const { questionsPerChunk } = options;
    const keyOf = (chunk: SourceChunk) =>
      answerKey({ message: messageFor(chunk, options), questionsPerChunk, model, server: 'transformers.js' });
    return Ledger.open({ model, cacheDir, prompt }, chunks, options, keyOf, ANSWERS_PER_CHUNK);
  };
  return {
    description: `${model} on this machine`,
    missing: async (chunks, options) => (await open(chunks, options)).missing().map(({ chunk }) => chunk),
    async generate(chunks, options) {
      options.signal?.throwIfAborted();
      const ledger = await open(chunks, options);
      const answer = ledger.missing().length > 0 ? await load(model) : undefined;
      const maxTokens = options.questionsPerChunk * TOKENS_PER_QUESTION + TOKENS_AROUND;
      const ask = async ({ chunk }: { chunk: SourceChunk }) => ({
        text: await answer!(messageFor(chunk, options), maxTokens),
      });
      return askMissing(ledger, { ask, concurrency: 1 }, options);
    },
  };
}
