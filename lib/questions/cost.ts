// In: chunks and a price. Out: the tokens and the money that questions about them will take.
import type { LlmAnswer } from './answer-cache';
import type { SourceChunk } from './generator';
import type { TokenPrice } from './llm-settings';
import { fillPrompt, QUESTION_STYLES } from './prompt';

/** Tokens of one exam question with its share of the JSON; generous. */
const TOKENS_PER_QUESTION = 40;

/**
 * What a run will take, before it starts: calls, tokens and US dollars. Input is counted with GPT's tokens (o200k);
 * output is a guess of 40 tokens a question, to which reasoning models add their thoughts.
 */
export function estimateCost(
  chunks: SourceChunk[],
  { questionsPerChunk, price }: { questionsPerChunk: number; price?: TokenPrice },
) {
  // Loaded here: its 200,000 tokens take memory that training has better use for.
  const { countTokens } = require('gpt-tokenizer') as typeof import('gpt-tokenizer');
  // Any style's message is about as long. Documents may contain text that looks like the tokenizer's special tokens.
  const tokensFor = ({ text }: SourceChunk) =>
    countTokens(fillPrompt(text, questionsPerChunk, QUESTION_STYLES.question), { disallowedSpecial: new Set() });
  const inputTokens = chunks.reduce((sum, chunk) => sum + tokensFor(chunk), 0);
  const outputTokens = chunks.length * questionsPerChunk * TOKENS_PER_QUESTION;
  const dollars = price && costOf({ inputTokens, outputTokens }, price);
  return { calls: chunks.length, inputTokens, outputTokens, dollars };
}

/** US dollars; 0 where price or usage is unknown. */
export function costOf({ inputTokens = 0, outputTokens = 0 }: Partial<LlmAnswer>, price?: TokenPrice): number {
  if (!price) return 0;
  return (inputTokens * price.inputPerMillion + outputTokens * price.outputPerMillion) / 1e6;
}
