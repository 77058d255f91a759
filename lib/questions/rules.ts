// In: a question, its style and its chunk. Out: what is wrong with it, if anything: what a reader sees at a glance.
import { terms } from '../common/text/terms';
import type { QuestionStyle } from './generator';
import { EXAM_PROMPT, QUESTION_STYLES } from './prompt';

/** Why a question is dropped. */
export interface Fault {
  /** Short, the same for all questions dropped for it; the key in `summary.dropped`. */
  reason: string;
  /** What names the context, the question that this one repeats, … */
  detail: string;
}

/** Fewest words a style makes sense with, 3 by default; fewer letters than this make none; more words ramble. */
const FEWEST_WORDS: Partial<Record<QuestionStyle, number>> = { keywords: 2, claim: 4, own: 1 };
const FEWEST_LETTERS = 8;
const MOST_WORDS = 60;

const words = new Intl.Segmenter(undefined, { granularity: 'word' });
/** Scripts in which a sign stands for about three letters of others. */
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

const NOUN = '(?:context(?:\\s+information)?|passages?|excerpts?|snippets?|documents?|texts?|paragraphs?)';
const POINTER = '(?:above|given|provided|following|preceding|aforementioned|accompanying)';
/** What may follow a noun that ends its phrase; verbs by their stems. */
const NEXT_WORDS =
  'above below and or as about regarding concerning is are was were do does did has have it to for with ' +
  'which who when how why what where that mention stat say said describ discuss provid list giv indicat ' +
  'explain refer suggest identif impl highlight outlin defin emphasi present reveal report note ' +
  'attribute cite structur organi written divid begin end contain includ';
// "the document retention policy", "in the context of" and "the text of the treaty" are about the world, not the page:
// the noun must end its phrase.
const END = `(?=$|['’]s\\b|\\s*[,.;:?!)"”]|\\s+(?:${NEXT_WORDS.split(' ').join('|')}))`;
const NAMES_ITS_SOURCE = new RegExp(
  `\\b(?:(?:the|this|these|that)\\s+(?:${POINTER}\\s+)?${NOUN}${END}|this\\s+(?:passage|excerpt|paragraph)\\b|` +
    `${POINTER}\\s+${NOUN}\\b|(?:the|this)\\s+authors?\\b${END})|` +
    // Numbering: a page's, not a law's ("Section 404 of the Act", "Chapter 11").
    '\\b(?:pages?|tables?|figures?|paragraphs?|questions?|passages?|bullets?) +(?:no\\. *)?#?\\d{1,3}(?!\\d)|' +
    '\\b(?:in|of|by|under|do|does|did|is|are) (?:section|chapter|note|item|part) \\d+(?:\\.\\d+)*' +
    '(?=\\s*\\?|\\s+(?:say|said|describe|discuss|cover|about|mention|explain))|' +
    '\\b(?:main (?:idea|topic|point|purpose|theme)s? of (?:the|this)\\b|table of contents\\b)',
  'i',
);

/** What JSON, HTML, Markdown and prompts are made of, and questions are not. */
const MARKUP = /^\s*[[{<]|"(?:queries|questions)"|```|"""|…["\]]|^\W*(?:question|query)\s*#?\d*\W*$|^(?:a|answer)\s*:/i;

const lettersOf = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
const PROMPT = lettersOf(
  [EXAM_PROMPT, ...Object.values(QUESTION_STYLES).flatMap(({ task, examples }) => [task, ...examples])].join('\n'),
);

// Thai, Lao and Khmer have no question mark; Japanese asks with "か。" as well.
const ASKS = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]|(?:[?？؟;]|か[。．]?)["'”’»)*」]*$/u;
const FORMS: Partial<Record<QuestionStyle, (text: string, count: number) => boolean>> = {
  question: (text) => ASKS.test(text),
  paraphrase: (text) => ASKS.test(text),
  keywords: (text, count) => !/[?？.!]$/.test(text) && count <= 12,
  claim: (text) => !ASKS.test(text),
};

/**
 * What is wrong with a question: its length, echoes of the prompt or its schema, words that name its source, or another
 * form than its style's.
 * @param style How it was to be asked; its form is not looked at where none is known.
 */
export function faultOf(question: string, chunk: string, style?: QuestionStyle): Fault | undefined {
  const count = [...words.segment(question)].filter(({ isWordLike }) => isWordLike).length;
  const letters = (question.match(/\p{L}/gu)?.length ?? 0) + 2 * (question.match(DENSE)?.length ?? 0);
  const markup = MARKUP.exec(question)?.[0];
  if (markup !== undefined) return { reason: 'echoes prompt or schema', detail: markup };
  if (count < ((style && FEWEST_WORDS[style]) ?? 3) || letters < FEWEST_LETTERS)
    return { reason: 'too short', detail: `${count} word(s), ${letters} letter(s)` };
  if (count > MOST_WORDS) return { reason: 'too long', detail: `${count} words` };
  const own = lettersOf(question);
  if (PROMPT.includes(own)) return { reason: 'echoes prompt or schema', detail: 'the same words' };
  // Who searches has no passage before them.
  const source = NAMES_ITS_SOURCE.exec(question)?.[0];
  if (source) return { reason: 'names the context', detail: source };
  if (style && FORMS[style]?.(question, count) === false)
    return { reason: 'not in the form of its style', detail: style };
  if (style === 'paraphrase') {
    const known = new Set(terms(chunk));
    if (terms(question).every((term) => known.has(term)))
      return { reason: 'a paraphrase in the words of its chunk', detail: style };
  }
  return undefined;
}
