import { estimateCost } from 'finetune-embedding/dist/questions/cost.js';
import { QUESTION_STYLES } from 'finetune-embedding/dist/questions/index.js';
import { fillPrompt } from 'finetune-embedding/dist/questions/prompt.js';
import { encode } from 'gpt-tokenizer';
import { describe, expect, it } from 'vitest';

describe('estimateCost', () => {
  const price = { inputPerMillion: 2, outputPerMillion: 8 };
  const chunks = [{ id: 'a', text: 'The harbour opens at six.' }];

  it('counts the tokens of the filled prompt and prices them', () => {
    const estimate = estimateCost(chunks, { questionsPerChunk: 2, price });
    const inputTokens = encode(fillPrompt(chunks[0].text, 2, QUESTION_STYLES.question)).length;
    expect(estimate).toMatchObject({ calls: 1, inputTokens, outputTokens: 80 });
    expect(estimate.dollars).toBeCloseTo((inputTokens * 2 + 80 * 8) / 1e6, 12);
  });

  it('knows no price unless it is told one', () => {
    expect(estimateCost(chunks, { questionsPerChunk: 2 }).dollars).toBeUndefined();
  });

  it('takes text that looks like special tokens', () => {
    const odd = [{ id: 'a', text: 'before <|endoftext|> after' }];
    expect(estimateCost(odd, { questionsPerChunk: 1, price }).calls).toBe(1);
  });
});

describe('fillPrompt', () => {
  it('leaves braces and dollar signs of the chunk alone', () => {
    const style = { task: 'riddles', examples: ['a', 'b'] };
    const chunk = "{count} {text} $& $'";
    const prompt = fillPrompt(chunk, 3, style);
    expect(prompt).toContain('Write exactly 3 riddles.');
    expect(prompt).toContain('\n- a\n- b\n');
    expect(prompt).toContain(`Passage:\n"""\n${chunk}\n"""`);
  });
});
