import { chooseGenerator, suitedSettings } from 'finetune-embedding/dist/questions/index.js';
import { createLocalGenerator } from 'finetune-embedding/extras';
import { describe, expect, it } from 'vitest';

const OTHERS = { local: createLocalGenerator };
const LLM = { model: 'exam-writer', cacheDir: 'unused' };
const DESCRIPTIONS: Record<string, RegExp> = { offline: /^offline: /, openai: / at http/, local: / in this process$/ };
const KEY = 'sk-test-0123456789abcdefghij';

describe('chooseGenerator', () => {
  it.each([
    ['auto', {}, 'offline', /neither OPENAI_API_KEY nor OPENAI_BASE_URL is set/],
    ['auto', { OPENAI_API_KEY: ' ' }, 'offline', /neither/],
    [
      'auto',
      { OPENAI_API_KEY: KEY },
      'openai',
      /exam-writer at https:\/\/api\.openai\.com\/v1, since OPENAI_API_KEY is set/,
    ],
    [
      'auto',
      { OPENAI_BASE_URL: 'http://localhost:11434/v1' },
      'openai',
      /localhost:11434\/v1, since OPENAI_BASE_URL is/,
    ],
    [
      'auto',
      { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: 'http://a/v1' },
      'openai',
      /since OPENAI_API_KEY and .*_URL are set/,
    ],
    ['openai', { OPENAI_API_KEY: KEY }, 'openai', /QUESTION_GENERATOR is openai/],
    ['local', { OPENAI_API_KEY: KEY }, 'local', /exam-writer in this process, since QUESTION_GENERATOR is local/],
    ['offline', { OPENAI_API_KEY: KEY }, 'offline', /QUESTION_GENERATOR is offline/],
  ])('%s with %j takes %s and says why', (setting, env, name, why) => {
    const { generator, reason } = chooseGenerator(setting, env, LLM, OTHERS);
    expect(generator.description).toMatch(DESCRIPTIONS[name]);
    expect(reason).toMatch(why);
    expect(reason + generator.description).not.toContain(KEY);
  });

  it('refuses openai without key and address', () => {
    expect(() => chooseGenerator('openai', {}, LLM)).toThrow(/Set one of them, or take QUESTION_GENERATOR=offline/);
  });
});

describe('suitedSettings', () => {
  it.each([
    ['auto', {}, 8],
    ['auto', { OPENAI_API_KEY: ' ' }, 8],
    ['auto', { OPENAI_BASE_URL: 'http://a/v1' }, 2],
    ['openai', {}, 2],
    ['local', {}, 2],
    ['offline', { OPENAI_API_KEY: KEY }, 8],
  ])('%s with %j: %i', (setting, env, questions) => {
    const roundTripTop = questions === 2 ? 10 : 0;
    expect(suitedSettings(setting, env)).toEqual({ questionsPerChunk: questions, roundTripTop });
  });
});
