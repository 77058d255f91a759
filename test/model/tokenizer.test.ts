import fs from 'node:fs';
import path from 'node:path';
import { loadModel, loadTokenizer } from 'finetune-embedding';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  copyOfTiny,
  editJson,
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
    const ids = minilmTexts.map((text) => [...model.tokenizer.encode(text, model.maxSeqLength)]);
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
    expect(() => loadTokenizer(folder)).toThrow(/tokenizer\.json: there is no such file/);
  });

  type Edited = { model: { vocab: Record<string, number> }; added_tokens: { id: number }[]; normalizer: object };
  const editors: Record<string, [(file: Edited) => void, RegExp]> = {
    'an id beyond the vocabulary': [
      ({ model }) => Object.assign(model.vocab, { more: 120 }),
      /has 121 word pieces.*120/,
    ],
    'an id that is far away': [
      ({ model }) => Object.assign(model.vocab, { ferry: 1e9 }),
      /no word piece of id 6, or two: next is "port" with 7/,
    ],
    'an id twice': [
      ({ model }) => Object.assign(model.vocab, { ferry: 7 }),
      /id 6, or two: next is "(port|ferry)" with 7/,
    ],
    'a hole': [({ model }) => delete model.vocab.ferry, /id 6, or two: next is "port" with 7/],
    'another token after a text': [(file) => Object.assign(file, { post_processor: null }), /around a text are ""/],
    'a token moved': [
      ({ added_tokens }) => Object.assign(added_tokens[3], { id: 4 }),
      /id 3, or two: next is "\[(SEP|MASK)\]" with 4/,
    ],
    'no lower-casing said': [
      ({ normalizer }) => Object.assign(normalizer, { lowercase: 1 }),
      /normalizer\.lowercase is 1/,
    ],
    'no unknown token': [({ model }) => Object.assign(model, { unk_token: '[X]' }), /model\.vocab\.\[X\] is undefined/],
    'no model': [(file) => Object.assign(file, { model: null }), /model\.vocab is undefined, not a vocabulary/],
    'an unknown normaliser': [
      (file) => Object.assign(file, { normalizer: { type: 'X' } }),
      /Unknown Normalizer type: X/,
    ],
  };
  it.each(Object.entries(editors))('is refused by name: %s', async (_, [edit, message]) => {
    const folder = copyOfTiny((copy) => editJson<Edited>(copy, 'tokenizer.json', edit));
    await expect(loadModel(folder)).rejects.toThrow(message);
    await expect(loadModel(folder)).rejects.toThrow(/tokenizer\.json: .* again\.$/);
  });
});
