// In: a chunk and the settings. Out: the request to the model, and the key its answer is kept under.

import type OpenAI from 'openai';
import { publicUrl } from '../common/openai';
import { answerKey } from './answer-cache';
import type { SourceChunk } from './generator';
import type { LlmSettings } from './llm-settings';
import { fillPrompt, QUESTIONS_FORMAT } from './prompt';

/** The request for one chunk; the same for live calls and batches. */
export function chatRequest(
  settings: LlmSettings,
  chunk: SourceChunk,
  questionsPerChunk: number,
  structured: boolean,
): OpenAI.Chat.ChatCompletionCreateParamsNonStreaming {
  return {
    model: settings.model,
    messages: [{ role: 'user', content: fillPrompt(settings.prompt, chunk, questionsPerChunk) }],
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    ...(structured ? { response_format: QUESTIONS_FORMAT } : {}),
  };
}

/** The cache key of one chunk: what is asked, of whom, and how. */
export function requestKey(settings: LlmSettings, chunk: SourceChunk, questionsPerChunk: number): string {
  return answerKey({
    message: fillPrompt(settings.prompt, chunk, questionsPerChunk),
    questionsPerChunk,
    model: settings.model,
    server: publicUrl(settings.baseURL),
    temperature: settings.temperature,
  });
}
