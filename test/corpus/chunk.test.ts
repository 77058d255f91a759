import { chunkPages } from 'finetune-embedding';
import { countTokens } from 'finetune-embedding/dist/common/text/gpt-tokens.js';
import { splitSentences } from 'finetune-embedding/dist/common/text/sentences.js';
import { cutPages } from 'finetune-embedding/dist/corpus/chunk.js';
import { describe, expect, it } from 'vitest';

const page = (text: string, number = 1, file = 'report.pdf') => ({ file, page: number, text });
const prose = Array.from({ length: 60 }, (_, i) => `Boat ${i} left the quay at noon and came back at dusk.`).join(' ');
const cut = (pages: Parameters<typeof cutPages>[0], settings = {}) =>
  cutPages(pages, { chunkSize: 1024, chunkOverlap: 20, ...settings });
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('countTokens', () => {
  it('counts GPT-2 tokens', () => {
    // Ids 15496 995, and 464 2068 7586 21831 13 in OpenAI's vocabulary.
    expect(countTokens('Hello world')).toBe(2);
    expect(countTokens('The quick brown fox.')).toBe(5);
  });
  it('counts a special token as text and a very long word in bounded time', () => {
    expect(countTokens('<|endoftext|>')).toBeGreaterThan(1);
    expect(countTokens('x'.repeat(200_000))).toBeGreaterThan(1000);
  });
});

describe('splitSentences', () => {
  it('does not cut after abbreviations', () => {
    const text =
      'The U.S. Government wrote to J. Smith of Acme Inc. Yesterday it met. See No. 7 of Vol. 2. The end came. Really? Yes!';
    expect(splitSentences(text).map((sentence) => sentence.trim())).toEqual([
      'The U.S. Government wrote to J. Smith of Acme Inc. Yesterday it met.',
      'See No. 7 of Vol. 2.',
      'The end came.',
      'Really?',
      'Yes!',
    ]);
  });
  it('cuts at line ends, and at the ends of Chinese sentences; nothing is lost', () => {
    const text = 'Total\t5\nOther\t7\n\n第一句。第二句。';
    expect(splitSentences(text)).toEqual(['Total\t5\n', 'Other\t7\n', '\n', '第一句。', '第二句。']);
    expect(splitSentences(prose).join('')).toBe(prose);
  });
});

describe('cutPages', () => {
  it('fills chunks with whole sentences up to the size', () => {
    const chunks = cut([page(prose)], { chunkSize: 128, chunkOverlap: 0 });
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks) {
      expect(chunk.tokens).toBe(countTokens(chunk.text));
      expect(chunk.tokens).toBeLessThanOrEqual(128);
      expect(chunk.text).toMatch(/^Boat .*dusk\.$/);
    }
    expect(chunks.map((chunk) => chunk.text).join(' ')).toBe(prose);
    const sentence = countTokens('Boat 10 left the quay at noon and came back at dusk. ');
    // The label that LlamaIndex counts in, and one sentence that did not fit, are all that is left free.
    for (const chunk of chunks.slice(0, -1)) expect(chunk.tokens).toBeGreaterThan(128 - 17 - 2 * sentence);
  });
  it('repeats whole sentences up to the overlap, words where a sentence is longer', () => {
    for (const [chunkOverlap, pattern] of [
      [20, /^Boat \d+ left/],
      [8, /^(?!Boat)[a-z ]+ dusk\. Boat \d+ left/],
    ] as const) {
      const chunks = cut([page(prose)], { chunkSize: 128, chunkOverlap });
      for (let i = 1; i < chunks.length; i++) {
        expect(chunks[i].text).toMatch(pattern);
        const start = chunks[i].text.slice(0, chunks[i].text.indexOf('dusk.') + 5);
        expect(chunks[i - 1].text.endsWith(start)).toBe(true);
        expect(countTokens(start)).toBeLessThanOrEqual(chunkOverlap);
      }
    }
  });
  it('cuts a sentence longer than a chunk between words, and a word longer than a chunk', () => {
    const sentence = `${Array.from({ length: 400 }, (_, i) => `word${i}`).join(' ')}.`;
    const words = cut([page(sentence)], { chunkSize: 64, chunkOverlap: 0 });
    expect(words.map((chunk) => chunk.text).join(' ')).toBe(sentence);
    const long = 'é😀'.repeat(300);
    const pieces = cut([page(long)], { chunkSize: 64, chunkOverlap: 0 });
    expect(pieces.map((chunk) => chunk.text).join('')).toBe(long);
    for (const chunk of [...words, ...pieces]) expect(chunk.tokens).toBeLessThanOrEqual(64);
  });
  it('never spans pages, skips empty ones, and names file and page', () => {
    const chunks = cut([page('One.', 1), page('  ', 2), page('Three.', 3, 'b/other.pdf')]);
    expect(chunks.map(({ text, page, file }) => [text, page, file])).toEqual([
      ['One.', 1, 'report.pdf'],
      ['Three.', 3, 'b/other.pdf'],
    ]);
  });
  it('gives the same ids on every run, wherever the file lies, and distinct ones to equal passages', () => {
    const pages = [page(prose), page('Left blank.', 2), page('Left blank.', 3), page('Left blank.', 3)];
    const ids = cut(pages).map((chunk) => chunk.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(UUID);
    const moved = pages.map((one) => ({ ...one, file: `/elsewhere/${one.file}` }));
    expect(cut(moved).map((chunk) => chunk.id)).toEqual(ids);
    expect(cut([page('Other text.', 2)])[0].id).not.toBe(ids[1]);
  });
});

describe('chunkPages', () => {
  it('gives the same chunks, from a thread', async () => {
    expect(await chunkPages([page(prose)], { chunkSize: 128 })).toEqual(cut([page(prose)], { chunkSize: 128 }));
    expect(await chunkPages([])).toEqual([]);
  });
  it('names the setting that is out of range', async () => {
    const refused = (settings: object) => expect(chunkPages([], settings)).rejects;
    await refused({ chunkSize: 10 }).toThrow(/^CHUNK_SIZE is 10; .*64 or more\.$/);
    await refused({ chunkSize: Number.NaN }).toThrow(/CHUNK_SIZE is NaN/);
    await refused({ chunkSize: 128, chunkOverlap: 128 }).toThrow(/^CHUNK_OVERLAP is 128; .*\(128\)\.$/);
    await refused({ chunkOverlap: -1 }).toThrow(/CHUNK_OVERLAP is -1/);
  });
  it('says that a document of five words is too short, and what to do', async () => {
    await expect(chunkPages([page('The tide is out today.')])).rejects.toThrow(
      /^report\.pdf: fewer than 60 letters of text.*TRAIN_FILES/,
    );
    // Chinese has no blanks between its words.
    expect(await chunkPages([page('\u6f6e\u6c50\u8868'.repeat(25))])).toHaveLength(1);
  });
});
