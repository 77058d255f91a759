// In: chunks and a price. Out: the tokens and the money that questions about them will take.

import { countTokens } from 'gpt-tokenizer';
import type { LlmAnswer } from './answer-cache';
import type { SourceChunk } from './generator';
import type { TokenPrice } from './llm-settings';
import { fillPrompt } from './prompt';

/** Tokens of one exam question with its share of the JSON; generous. */
const TOKENS_PER_QUESTION = 40;

export interface CostEstimate {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  /** US dollars; undefined without a price. */
  dollars?: number;
}

/**
 * What a run will take, before it starts. Input is counted with GPT's tokens (o200k); output is a guess of 40 tokens
 * a question, to which reasoning models add their thoughts.
 */
export function estimateCost(
  chunks: SourceChunk[],
  options: { questionsPerChunk: number; price?: TokenPrice; prompt?: string },
): CostEstimate {
  const { questionsPerChunk, price, prompt } = options;
  let inputTokens = 0;
  for (const chunk of chunks) {
    // Documents may contain text that looks like the tokenizer's special tokens.
    const message = fillPrompt(prompt, chunk, questionsPerChunk);
    inputTokens += countTokens(message, { disallowedSpecial: new Set() });
  }
  const outputTokens = chunks.length * questionsPerChunk * TOKENS_PER_QUESTION;
  const dollars = price && costOf({ inputTokens, outputTokens }, price);
  return { calls: chunks.length, inputTokens, outputTokens, dollars };
}

/** US dollars; 0 where price or usage is unknown. */
export function costOf({ inputTokens = 0, outputTokens = 0 }: Partial<LlmAnswer>, price?: TokenPrice): number {
  if (!price) return 0;
  return (inputTokens * price.inputPerMillion + outputTokens * price.outputPerMillion) / 1e6;
}
