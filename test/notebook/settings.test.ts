import { setting } from 'finetune-embedding';
import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => vi.unstubAllEnvs());

describe('setting', () => {
  it('keeps the value in the cell when the environment says nothing', () => {
    vi.stubEnv('CHUNK_SIZE', '');
    expect(setting('CHUNK_SIZE', 1024, { min: 64, max: 8192, integer: true })).toBe(1024);
    expect(setting('TRAIN_FILES', ['a.pdf'])).toEqual(['a.pdf']);
    expect(setting('TEST_FILES', [], { optional: true })).toEqual([]);
  });

  it('reads each type from the environment', () => {
    vi.stubEnv('LEARNING_RATE', '2e-5');
    vi.stubEnv('TRAIN_FILES', 'a.pdf, b c.pdf,');
    vi.stubEnv('RECIPE', 'original');
    expect(setting('LEARNING_RATE', 1e-4, { min: 0 })).toBe(2e-5);
    expect(setting('TRAIN_FILES', ['x.pdf'])).toEqual(['a.pdf', 'b c.pdf']);
    const recipe: 'original' | 'best' = setting('RECIPE', 'best', { oneOf: ['original', 'best'] });
    expect(recipe).toBe('original');
  });

  it('takes a text that may be empty as it stands, spaces and all', () => {
    expect(setting('QUERY_PROMPT', 'auto', { optional: true })).toBe('auto');
    expect(setting('QUERY_PROMPT', '', { optional: true })).toBe('');
    vi.stubEnv('QUERY_PROMPT', 'query: ');
    expect(setting('QUERY_PROMPT', 'auto', { optional: true })).toBe('query: ');
    vi.stubEnv('QUERY_PROMPT', '');
    expect(setting('QUERY_PROMPT', 'auto', { optional: true })).toBe('');
  });

  it.each([
    [
      '12',
      /^CHUNK_SIZE is "12" \(from the environment\), but must be a whole number from 64 to 8192 \(tokens a chunk\)\.$/,
    ],
    ['100.5', /must be a whole number from 64 to 8192/],
    ['many', /CHUNK_SIZE is "many"/],
    ['9000', /CHUNK_SIZE is "9000"/],
  ])('refuses CHUNK_SIZE=%s in one sentence', (value, message) => {
    vi.stubEnv('CHUNK_SIZE', value);
    const read = () => setting('CHUNK_SIZE', 1024, { min: 64, max: 8192, integer: true, help: 'tokens a chunk' });
    expect(read).toThrow(RangeError);
    expect(read).toThrow(message);
  });

  it('refuses a bad value written in the cell', () => {
    expect(() => setting('TOP_K', 0, { min: 1 })).toThrow('TOP_K is 0, but must be a number of 1 or more.');
    expect(() => setting('RATE', Number.NaN)).toThrow('RATE');
    expect(() => setting('TRAIN_FILES', [])).toThrow('TRAIN_FILES is [], but must be a list with at least one entry.');
    expect(() => setting('BASE_MODEL', ' ')).toThrow('a text that is not empty');
  });

  it('names the choices', () => {
    vi.stubEnv('RECIPE', 'worst');
    expect(() => setting('RECIPE', 'best', { oneOf: ['original', 'best'] })).toThrow(
      'RECIPE is "worst" (from the environment), but must be one of original, best.',
    );
  });
});
