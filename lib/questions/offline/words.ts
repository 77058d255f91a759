// In: chunk texts. Out: what the corpus itself says about its words: which are names, and which are accidents of PDF
// extraction (glued, cut, digits stuck to letters).
import { compromise, oneOf } from './tokens';

const TOKEN = /[\p{L}\p{N}]+(?:['’&.-][\p{L}\p{N}]+)*-?/gu;
const AFFIX = new RegExp(
  `^${oneOf(`anti auto back co counter cross down fore inter micro mis multi non out over post pre re semi sub
    super trans under un up with able based folds? ful holders? hood less like lines? ments? ness owners? places? ship
    sides? time ups? wards? wares? ways? wide wise works?`)}$`,
);
const FUNCTION_WORD =
  /^(a|an|and|are|as|at|be|been|but|by|can|for|from|has|have|if|in|is|it|may|not|of|on|or|our|such|that|the|their|these|this|to|under|was|we|were|which|will|with)$/;
const WORD_WITH_DIGITS =
  /^(\d+(st|nd|rd|th|s|x|k|m|bn)|[A-Z]{1,4}\d{1,3}|\d{1,3}[A-Z]{1,2}|\d+(\.\d+)?(kg|km|kW|MW|GW|kWh|MWh|GWh|GB|TB|mm|cm|ha))$/;
// A capital inside a sentence: after a small letter and a blank.
const CAPITAL_INSIDE = /(?<=\p{Ll},? )\p{Lu}[\p{L}'’-]*/gu;
const COMMON_ENDING = /(s|ed|ing|tion|sion|ment|ity|ness|ance|ence|al|ive|ous|ary|ure|age|er|or|y)$/;
const NAME_TAG = /Name|City|Country|Place|Region|Organization|Person|ProperNoun|Demonym|Month|WeekDay|Acronym/;

/** The words that compromise knows, with their classes. */
function englishLexicon(): Record<string, unknown> {
  const model = compromise().model() as { one?: { lexicon?: Record<string, unknown> } };
  return model.one?.lexicon ?? {};
}

/** Every token of a text as it stands, in order. */
export function tokensOf(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** The corpus' own vocabulary, the yardstick for what is a word in it. */
export class Words {
  private readonly counts = new Map<string, number>();
  private readonly lowerCase = new Map<string, number>();
  private readonly capitalInside = new Map<string, number>();
  private readonly english = englishLexicon();

  constructor(texts: Iterable<string>) {
    const add = (counts: Map<string, number>, word: string) => counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const text of texts) {
      for (const [capital] of text.matchAll(CAPITAL_INSIDE)) add(this.capitalInside, capital.toLowerCase());
      for (const token of tokensOf(text)) {
        add(this.counts, token.toLowerCase());
        if (token === token.toLowerCase()) add(this.lowerCase, token);
      }
    }
  }

  count(word: string): number {
    return this.counts.get(word.toLowerCase()) ?? 0;
  }

  /** Whether a word is no name: its capital only opens a sentence, a row or a title. */
  isCommon(word: string): boolean {
    const lower = word.toLowerCase();
    const [small, capital] = [this.lowerCase.get(lower) ?? 0, this.capitalInside.get(lower) ?? 0];
    if (small > 0) return small >= capital;
    if (Object.hasOwn(this.english, lower)) return !NAME_TAG.test(String(this.english[lower])) && capital < 2;
    return capital === 0 && COMMON_ENDING.test(lower);
  }

  /** Whether a token looks like an accident of PDF extraction rather than a word. */
  isBroken(token: string): boolean {
    const word = token.toLowerCase();
    const own = Math.max(1, this.count(word));
    if (
      token.endsWith('-') ||
      token.length > 30 ||
      /'(s|re|ve|ll|d|t)\p{L}|'\p{L}{3}|^cannot./u.test(word.replace(/’/g, "'"))
    )
      return true;
    if (token.includes('-')) return token.split('-').some((part) => part !== '' && this.isBroken(part));
    if (/\p{L}\d|\d\p{L}/u.test(token)) return !WORD_WITH_DIGITS.test(token) && own < 3;
    if (/\p{L}\.\p{L}{2}|\p{Ll}\p{Lu}/u.test(token)) return own < 3;
    if (own > 5 || word.length < 3 || !/^\p{L}+$/u.test(word) || Object.hasOwn(this.english, word)) return false;
    for (let at = 1; at < word.length; at++) if (this.isJoint(word.slice(0, at), word.slice(at), own)) return true;
    return false;
  }

  // Whether a rare word is two words that the corpus has apart (`taxauthorities`, `theovens`).
  private isJoint(left: string, right: string, own: number): boolean {
    if (AFFIX.test(left) || AFFIX.test(right)) return false;
    const seen = Math.min(this.count(left), this.count(right));
    if (left.length >= 4 && right.length >= 4 && seen >= 5 * own) return true;
    if (FUNCTION_WORD.test(left) && right.length >= 3 && this.count(right) >= (own > 2 ? 20 * own : 3)) return true;
    const isWord = (part: string) => part.length >= 3 && (Object.hasOwn(this.english, part) || this.count(part) >= 3);
    return own < 3 && isWord(right) && (isWord(left) || /...(ing|tion|ment)$/.test(left));
  }
}
