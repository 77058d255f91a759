// Chunk texts go in; out comes what the corpus itself says about its words: how often each occurs, which word
// follows which, which tokens are broken (glued, cut, digits stuck to letters) and how to mend those that can be.
import nlp from 'compromise/three';

const TOKEN = /[\p{L}\p{N}]+(?:['’&.-][\p{L}\p{N}]+)*-?/gu;
const COMMON_PREFIX =
  /^(anti|auto|back|co|counter|cross|down|fore|inter|micro|mis|multi|non|out|over|post|pre|re|semi|sub|super|trans|under|un|up|with)$/;
const COMMON_SUFFIX =
  /^(able|based|folds?|ful|holders?|hood|less|like|lines?|ments?|ness|out|owners?|places?|ship|sides?|time|ups?|wards?|wares?|ways?|wide|wise|works?)$/;
const FUNCTION_WORD =
  /^(a|an|and|are|as|at|be|been|but|by|can|for|from|has|have|if|in|is|it|may|not|of|on|or|our|such|that|the|their|these|this|to|under|was|we|were|which|will|with)$/;
const WORD_WITH_DIGITS =
  /^(\d+(st|nd|rd|th|s|x|k|m|bn)|[A-Z]{1,4}\d{1,3}|\d{1,3}[A-Z]{1,2}|\d+(\.\d+)?(kg|km|kW|MW|GW|kWh|MWh|GWh|GB|TB|mm|cm|ha))$/;

// A capital inside a sentence: after a small letter and a blank.
const CAPITAL_INSIDE = /(?<=\p{Ll},? )\p{Lu}[\p{L}'’-]*/gu;
const COMMON_ENDING = /(s|ed|ing|tion|sion|ment|ity|ness|ance|ence|al|ive|ous|ary|ure|age|er|or|y)$/;

/** Every token of a text as it stands, in order. */
export function tokensOf(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

const NAME_TAG = /Name|City|Country|Place|Region|Organization|Person|ProperNoun|Demonym|Month|WeekDay|Acronym/;

const model = nlp.model() as { one?: { lexicon?: Record<string, unknown> } };
const englishWords = model.one?.lexicon ?? {};

/** The corpus' own vocabulary, the yardstick for what is a word in it. */
export class Words {
  private readonly counts = new Map<string, number>();
  private readonly lowerCase = new Map<string, number>();
  private readonly capitalInside = new Map<string, number>();
  private readonly pairs = new Map<string, number>();

  constructor(texts: Iterable<string>) {
    for (const text of texts) {
      for (const [capital] of text.matchAll(CAPITAL_INSIDE))
        this.capitalInside.set(capital.toLowerCase(), (this.capitalInside.get(capital.toLowerCase()) ?? 0) + 1);
      let previous = '';
      for (const token of tokensOf(text)) {
        const word = token.toLowerCase();
        this.counts.set(word, this.count(word) + 1);
        if (token === word) this.lowerCase.set(word, (this.lowerCase.get(word) ?? 0) + 1);
        if (previous) this.pairs.set(`${previous} ${word}`, (this.pairs.get(`${previous} ${word}`) ?? 0) + 1);
        previous = word;
      }
    }
  }

  count(word: string): number {
    return this.counts.get(word) ?? 0;
  }

  /** Whether a word is no name: its capital only opens a sentence, a row or a title. */
  isCommon(word: string): boolean {
    const lower = word.toLowerCase();
    const [small, capital] = [this.lowerCase.get(lower) ?? 0, this.capitalInside.get(lower) ?? 0];
    if (small > 0) return small >= capital;
    if (Object.hasOwn(englishWords, lower)) return !NAME_TAG.test(String(englishWords[lower])) && capital < 2;
    return capital === 0 && COMMON_ENDING.test(lower);
  }

  /** Whether a word is surely one: in the dictionary, or met more than once. */
  isFamiliar(word: string): boolean {
    return this.count(word.toLowerCase()) > 1 || Object.hasOwn(englishWords, word.toLowerCase());
  }

  private known(word: string): boolean {
    return Object.hasOwn(englishWords, word) || this.count(word) >= 3;
  }

  /** `taxauthorities` → `tax authorities` where the corpus has the two words in a row elsewhere; else undefined. */
  mend(token: string): string | undefined {
    const word = token.toLowerCase();
    const own = this.count(word);
    if (word.length < 5 || !/^[\p{L}]+$/u.test(word)) return undefined;
    // A dictionary word (`maybe` for `may be`) is mended only on overwhelming evidence.
    const evidence = Object.hasOwn(englishWords, word) ? 50 * own : own;
    let best: { at: number; seen: number } | undefined;
    for (let at = 1; at < word.length; at++) {
      const seen = this.pairs.get(`${word.slice(0, at)} ${word.slice(at)}`) ?? 0;
      if (seen > evidence && (!best || seen > best.seen)) best = { at, seen };
    }
    return best && `${token.slice(0, best.at)} ${token.slice(best.at)}`;
  }

  /** Whether a token looks like an accident of PDF extraction rather than a word. */
  isBroken(token: string): boolean {
    const word = token.toLowerCase();
    const own = Math.max(1, this.count(word));
    if (token.endsWith('-') || token.length > 30 || /'(s|re|ve|ll|d|t)\p{L}|'\p{L}{3}/u.test(word.replace(/’/g, "'")))
      return true;
    if (token.includes('-')) return token.split('-').some((part) => part !== '' && this.isBroken(part));
    if (/\p{L}\d|\d\p{L}/u.test(token)) return !WORD_WITH_DIGITS.test(token) && own < 3;
    if (/\p{L}\.\p{L}{2}/u.test(token)) return own < 3;
    if (/\p{Ll}\p{Lu}/u.test(token)) return own < 3;
    if (own > 5 || word.length < 3 || !/^\p{L}+$/u.test(word) || Object.hasOwn(englishWords, word)) return false;
    for (let at = 1; at < word.length; at++) if (this.isJoint(word.slice(0, at), word.slice(at), own)) return true;
    return false;
  }

  private isJoint(left: string, right: string, own: number): boolean {
    if (COMMON_PREFIX.test(left) || COMMON_SUFFIX.test(right)) return false;
    if (FUNCTION_WORD.test(left) && right.length >= 3 && this.count(right) >= 20 * own) return true;
    if (left.length >= 4 && right.length >= 4 && Math.min(this.count(left), this.count(right)) >= 5 * own) return true;
    if (own > 2) return false;
    const seen = this.count(right);
    if (FUNCTION_WORD.test(left) && FUNCTION_WORD.test(right)) return true;
    if (FUNCTION_WORD.test(left)) return right.length >= 3 && seen >= (left.length > 2 || right.length > 4 ? 1 : 3);
    if (FUNCTION_WORD.test(right))
      return left.length >= 4 && this.count(left) > 0 && !/^(an|as|at|in|is|it|on|or|be)$/.test(right);
    return (
      left.length >= 3 && right.length >= 3 && this.known(left) && (this.known(right) || (right.length > 4 && seen > 0))
    );
  }
}
