// A setting and the environment go in; a question generator comes out, and why it is that one.

import { LocalQuestionGenerator } from '../extras/local-model/local-generator';
import type { QuestionGenerator } from './generator';
import { LlmQuestionGenerator } from './llm-generator';
import type { LlmSettings } from './llm-settings';
import { createOfflineGenerator } from './offline';

export interface ChosenGenerator {
  generator: QuestionGenerator;
  /** One sentence for the notebook. */
  reason: string;
}

/**
 * `auto` takes the LLM if `OPENAI_API_KEY` or `OPENAI_BASE_URL` is set, else the offline generator.
 * @param setting `QUESTION_GENERATOR`: `auto`, `openai` (any server that speaks OpenAI's API), `local` (a small
 *   model on this machine, through transformers.js) or `offline`.
 * @param env Where key and address come from; `process.env` as a rule.
 * @param llm The LLM's other settings.
 * @throws Error if the setting is another, or `openai` is asked for without key and address.
 */
export function chooseGenerator(
  setting: string,
  env: Record<string, string | undefined>,
  llm: Omit<LlmSettings, 'apiKey' | 'baseURL'>,
): ChosenGenerator {
  const apiKey = env.OPENAI_API_KEY?.trim() || undefined;
  const baseURL = env.OPENAI_BASE_URL?.trim() || undefined;
  const found = [apiKey && 'OPENAI_API_KEY', baseURL && 'OPENAI_BASE_URL'].filter(Boolean).join(' and ');
  const because = found ? `${found} ${found.includes(' ') ? 'are' : 'is'} set` : '';
  const withLlm = () => new LlmQuestionGenerator({ ...llm, apiKey, baseURL });
  switch (setting) {
    case 'auto': {
      if (!because)
        return {
          generator: createOfflineGenerator(),
          reason: 'Offline questions, since neither OPENAI_API_KEY nor OPENAI_BASE_URL is set.',
        };
      const generator = withLlm();
      return { generator, reason: `Questions by ${generator.description}, since ${because}.` };
    }
    case 'openai': {
      if (!because)
        throw new Error(
          'QUESTION_GENERATOR is openai, but neither OPENAI_API_KEY nor OPENAI_BASE_URL is set. ' +
            'Set one of them, or take QUESTION_GENERATOR=offline.',
        );
      const generator = withLlm();
      return { generator, reason: `Questions by ${generator.description}, since QUESTION_GENERATOR is openai.` };
    }
    case 'local': {
      const generator = new LocalQuestionGenerator(llm);
      return { generator, reason: `Questions by ${generator.description}, since QUESTION_GENERATOR is local.` };
    }
    case 'offline':
      return {
        generator: createOfflineGenerator(),
        reason: 'Offline questions, since QUESTION_GENERATOR is offline.',
      };
    default:
      throw new Error(`QUESTION_GENERATOR is "${setting}"; it must be auto, openai, local or offline.`);
  }
}

/** An LLM asks well and takes money or time by the question; the offline generator costs nothing, and training pays by the chunk. */
const SUITED = { llm: 2, offline: 8 };

/** A good number of questions a chunk for the generator that `chooseGenerator` would choose. */
export function suitedQuestionsPerChunk(setting: string, env: Record<string, string | undefined>): number {
  const hasLlm = Boolean(env.OPENAI_API_KEY?.trim() || env.OPENAI_BASE_URL?.trim());
  return setting === 'openai' || setting === 'local' || (setting === 'auto' && hasLlm) ? SUITED.llm : SUITED.offline;
}
