// In: a setting and the environment. Out: a question generator, and why it is that one.
import type { QuestionGenerator } from './generator';
import { createLlmGenerator } from './llm-generator';
import type { LlmSettings } from './llm-settings';
import { createOfflineGenerator } from './offline/offline-generator';

type ModelSettings = Omit<LlmSettings, 'apiKey' | 'baseURL'>;

/**
 * An LLM asks well and takes money or time by the question; offline, only training pays, and that by the chunk. Offline
 * questions are made to point at their chunk, a model's need not: it may ask what fits many.
 */
const SUITED = {
  llm: { questionsPerChunk: 2, roundTripTop: 10 },
  offline: { questionsPerChunk: 8, roundTripTop: 0 },
};

/**
 * `auto` takes the LLM if `OPENAI_API_KEY` or `OPENAI_BASE_URL` is set, else the offline generator.
 * @param setting `QUESTION_GENERATOR`: `auto`, `openai` (any server that speaks OpenAI's API), `offline`, or a name in
 *   `others`.
 * @param env Where key and address come from; `process.env` as a rule.
 * @param llm The LLM's other settings.
 * @param others Further generators by name, such as `{ local: extras.createLocalGenerator }`.
 * @returns the generator, and why it is that one, in a sentence for the notebook.
 * @throws Error if `openai` is asked for without key and address.
 */
export function chooseGenerator(
  setting: string,
  env: Record<string, string | undefined>,
  llm: ModelSettings,
  others: Record<string, (llm: ModelSettings) => QuestionGenerator> = {},
): { generator: QuestionGenerator; reason: string } {
  const { apiKey, baseURL, found } = serverIn(env);
  if (setting === 'openai' && !found)
    throw new Error(
      'QUESTION_GENERATOR is openai, but neither OPENAI_API_KEY nor OPENAI_BASE_URL is set. ' +
        'Set one of them, or take QUESTION_GENERATOR=offline.',
    );
  const none = 'neither OPENAI_API_KEY nor OPENAI_BASE_URL is set';
  const because = setting === 'auto' ? found || none : `QUESTION_GENERATOR is ${setting}`;
  if (setting === 'offline' || because === none)
    return { generator: createOfflineGenerator(), reason: `Offline questions, since ${because}.` };
  const generator = others[setting]?.(llm) ?? createLlmGenerator({ ...llm, apiKey, baseURL });
  return { generator, reason: `Questions by ${generator.description}, since ${because}.` };
}

/** A good number of questions a chunk, and how strict a gate, for the generator that `chooseGenerator` would choose. */
export function suitedSettings(setting: string, env: Record<string, string | undefined>): typeof SUITED.llm {
  const offline = setting === 'offline' || (setting === 'auto' && !serverIn(env).found);
  return offline ? SUITED.offline : SUITED.llm;
}

/** Key and address, and a few words on which of them are set; empty if none is. */
function serverIn(env: Record<string, string | undefined>): { apiKey?: string; baseURL?: string; found: string } {
  const apiKey = env.OPENAI_API_KEY?.trim() || undefined;
  const baseURL = env.OPENAI_BASE_URL?.trim() || undefined;
  const set = [apiKey && 'OPENAI_API_KEY', baseURL && 'OPENAI_BASE_URL'].filter(Boolean);
  return { apiKey, baseURL, found: set.length ? `${set.join(' and ')} ${set.length > 1 ? 'are' : 'is'} set` : '' };
}
