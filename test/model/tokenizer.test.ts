import fs from 'node:fs';
import path from 'node:path';
import { loadModel, loadTokenizer } from 'finetune-embedding';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  copyOfTiny,
  embeddedTexts,
  minilmReference,
  minilmTexts,
  TINY,
  texts,
  tinyReference,
} from '../fixtures/engine';

describe('tokenizer', () => {
  const tiny = loadTokenizer(TINY);
  const tinyTexts = [...embeddedTexts, ...texts.tokenizerTexts];

  it.each(['64', '16', '3'])('tiny vocabulary: the ids Python gives, cut at %s', (length) => {
    const ids = tinyTexts.map((text) => [...tiny.encode(text, Number(length))]);
    expect(ids).toEqual(tinyReference.tokens[length]);
  });

  it.each(['512', '16'])('all-MiniLM-L6-v2: the ids Python gives, cut at %s', async (length) => {
    const model = await loadModel('all-MiniLM-L6-v2', { maxSeqLength: Number(length) });
    onTestFinished(() => model.dispose());
    const ids = minilmTexts.map((text) => [...model.tokenize(text)]);
    expect(ids).toEqual(minilmReference.tokens[length]);
    expect(ids.some((own) => own.length === Number(length) && own.at(-1) === 102)).toBe(true);
  });

  it('gives whole texts without special tokens, and the tokens around them', () => {
    const text = 'the ferry '.repeat(60);
    const [cls, sep] = [2, 3];
    expect(tiny.around).toEqual({ before: [cls], after: [sep] });
    const whole = tiny.encodeWhole(text);
    expect(whole.length).toBe(120);
    expect([...tiny.encode(text, 1000)]).toEqual([cls, ...whole, sep]);
    expect(tiny.pieces(whole.subarray(0, 2))).toEqual(['the', 'ferry']);
  });

  it('names a missing tokenizer.json', () => {
    const folder = copyOfTiny((copy) => fs.rmSync(path.join(copy, 'tokenizer.json')));
    expect(() => loadTokenizer(folder)).toThrow(/tokenizer\.json is missing/);
  });
});
