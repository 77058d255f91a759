// In: a model folder, a text. Out: the text's word-piece ids, cut to a length as Python's tokenizers do, or by windows.
import { PreTrainedTokenizer } from '@huggingface/transformers';
import { type WindowSettings, windowRanges } from '../common/windows';
import { ModelJson } from './model-json';

/** Turns texts into token ids, special tokens included. */
export interface Tokenizer {
  /** Ids of `text`, at most `maxLength` of them; a longer text keeps its first ids and the final [SEP]. */
  encode(text: string, maxLength: number): Int32Array;
  /** Ids of the whole text without special tokens. */
  encodeWhole(text: string): Int32Array;
  /** The ids put around a text's own: `[CLS]` and the prompt's before, `[SEP]` after. */
  readonly around: { before: number[]; after: number[] };
  /** The same with a prompt before each text, in place of an earlier one; '' is none. Refuses one that runs into it. */
  withPrompt(prompt: string): Tokenizer;
  /** The word pieces behind ids, for display. */
  pieces(ids: ArrayLike<number>): string[];
}

/**
 * Loads `tokenizer.json` (and `tokenizer_config.json`) from a model folder.
 *
 * @param vocabSize rows of the model's vocabulary, which ids must stay below
 * @throws Error naming the file if it is missing, is not a tokenizer, or gives ids that the model does not know.
 */
export function loadTokenizer(folder: string, vocabSize = Number.POSITIVE_INFINITY): Tokenizer {
  const json = new ModelJson(folder, 'tokenizer.json');
  const config = new ModelJson(folder, 'tokenizer_config.json', true);
  checkSettings(json);
  checkIds(json, config, vocabSize);
  try {
    return wrap(new PreTrainedTokenizer(json.content, config.content), json, config);
  } catch (error) {
    throw json.error(`is no tokenizer that can be used: ${(error as Error).message}`);
  }
}

/** Settings that transformers.js would take for false, or for text, if they were missing or of another type. */
function checkSettings(json: ModelJson): void {
  const expect = (type: string, ...places: string[]) => {
    for (const place of places) json.expect(place, (value) => typeof value === type, `a ${type}`);
  };
  if (json.at('normalizer.type') === 'BertNormalizer') {
    expect('boolean', 'normalizer.clean_text', 'normalizer.handle_chinese_chars', 'normalizer.lowercase');
  }
  if (json.at('model.type') === 'WordPiece') {
    expect('string', 'model.unk_token', 'model.continuing_subword_prefix');
    expect('number', 'model.max_input_chars_per_word', `model.vocab.${json.at('model.unk_token')}`);
  }
}

/** A token that tokenizer_config.json names, such as `sep_token`. */
const named = (config: ModelJson, name: string) =>
  (config.at(`${name}.content`) ?? config.at(name)) as string | undefined;

/** Word pieces must have the ids from 0 on, each once; tokens that texts are not made of must be among those added. */
function checkIds(json: ModelJson, config: ModelJson, vocabSize: number): void {
  const vocab = json.expect<object>('model.vocab', (value) => value instanceof Object, 'a vocabulary');
  const added = json.expect<{ content: string; id: number }[]>('added_tokens', Array.isArray, 'a list');
  const ids = new Map<string, number>(
    Array.isArray(vocab) ? vocab.map(([piece], id) => [piece, id]) : Object.entries(vocab),
  );
  for (const token of added) ids.set(token?.content, token?.id);
  for (const name of ['cls_token', 'sep_token', 'unk_token', 'pad_token', 'mask_token']) {
    const isAdded = added.some((token) => token?.content === named(config, name));
    if (named(config, name) && !isAdded) throw json.error(`added_tokens lack "${named(config, name)}", the ${name}`);
  }
  if (ids.size > vocabSize) throw json.error(`has ${ids.size} word pieces, but the model knows ${vocabSize}`);
  const sorted = [...ids].sort(([, a], [, b]) => a - b);
  const at = sorted.findIndex(([, id], i) => id !== i);
  if (at >= 0)
    throw json.error(`has no word piece of id ${at}, or two: next is "${sorted[at][0]}" with ${sorted[at][1]}`);
}

function wrap(tokenizer: PreTrainedTokenizer, json: ModelJson, config: ModelJson): Tokenizer {
  // What the tokenizer puts around a text shows on any text whose own ids are known.
  const bare = tokenizer.encode('a', { add_special_tokens: false });
  const wrapped = tokenizer.encode('a');
  const start = wrapped.indexOf(bare[0]);
  if (start < 0) throw new Error('it leaves nothing of a text');
  const around = { before: wrapped.slice(0, start), after: wrapped.slice(start + bare.length) };
  const pieces = (ids: ArrayLike<number>) => Array.from(ids, (id) => tokenizer.decode([id]));
  const own = pieces([...around.before, ...around.after]).join(' ');
  const [cls, sep] = [named(config, 'cls_token'), named(config, 'sep_token')];
  if (cls && sep && own !== `${cls} ${sep}`) throw new Error(`around a text are "${own}", not "${cls} ${sep}"`);
  const tail = around.after.length;
  const prompted = (prompt: string, before: number[]): Tokenizer => ({
    around: { ...around, before },
    withPrompt,
    encode(text, maxLength) {
      const ids = tokenizer.encode(prompt + text);
      if (ids.length <= maxLength) return Int32Array.from(ids);
      // transformers.js would cut after adding the special tokens and lose [SEP]; Python cuts before.
      return Int32Array.from([...ids.slice(0, maxLength - tail), ...ids.slice(ids.length - tail)]);
    },
    encodeWhole: (text) => Int32Array.from(tokenizer.encode(text, { add_special_tokens: false })),
    pieces,
  });
  const plain = prompted('', around.before);
  function withPrompt(prompt: string): Tokenizer {
    if (!prompt) return plain;
    // Its ids show before a text: of a prompt alone, some tokenizers read the last space as a piece of its own.
    const ids = tokenizer.encode(`${prompt}a`);
    const end = ids.length - tail - bare.length;
    const shown = ids.slice(end, end + bare.length);
    // Byte pairs make the prompt's last space a part of the word after it.
    if (shown.join() !== bare.join() && pieces(shown).join('') !== ' a')
      throw json.error(`by it, the prompt "${prompt}" runs into the text that follows`, 'End the prompt with a space.');
    return prompted(prompt, ids.slice(0, end));
  }
  return plain;
}

/**
 * A text's windows as the encoder reads them, with special tokens around each and the prompt before.
 *
 * @param maxSeqLength what the model reads at most, special tokens and prompt included
 * @throws {RangeError} if a window is longer than special tokens and prompt leave room for, and as {@link windowRanges}
 */
export function windowSequences(
  tokenizer: Tokenizer,
  text: string,
  { size, stride }: WindowSettings,
  maxSeqLength: number,
): Int32Array[] {
  const { before, after } = tokenizer.around;
  const room = maxSeqLength - before.length - after.length;
  if (size > room)
    throw new RangeError(`Windows of ${size} word pieces are more than the model's ${room} after a prompt.`);
  const ids = tokenizer.encodeWhole(text);
  return windowRanges(ids.length, size, stride).map(([start, end]) =>
    Int32Array.from([...before, ...ids.subarray(start, end), ...after]),
  );
}
