// In: a generator's questions. Out: the good ones, and a list of what was dropped and why.
import type { GenerationResult } from './generator';
import { findRepeats } from './similar';

export interface DroppedQuestion {
  chunkId: string;
  question: string;
  /** Short, the same for all questions dropped for it; the key in `summary.dropped`. */
  reason: string;
  /** What names the context, or the question that this one repeats. */
  detail: string;
}

const NOUN = '(?:context(?:\\s+information)?|passages?|excerpts?|snippets?|documents?|texts?|paragraphs?)';
const POINTER = '(?:above|given|provided|following|preceding|aforementioned|accompanying)';
/** What may follow a noun that ends its phrase; verbs by their stems. */
const NEXT_WORDS =
  'above below and or as about regarding concerning is are was were do does did has have it to for with ' +
  'which who when how why what where that mention stat say said describ discuss provid list giv indicat ' +
  'explain refer suggest identif impl highlight outlin defin emphasi present reveal report note ' +
  'attribute cite';
// "the document retention policy", "in the context of" and "the text of the treaty" are about the world, not the page:
// the noun must end its phrase.
const END = `(?=$|['’]s\\b|\\s*[,.;:?!)"”]|\\s+(?:${NEXT_WORDS.split(' ').join('|')}))`;
const NAMES_ITS_SOURCE = new RegExp(
  `\\b(?:(?:the|this|these|that)\\s+(?:${POINTER}\\s+)?${NOUN}${END}|` +
    `${POINTER}\\s+${NOUN}\\b|(?:the|this)\\s+author\\b${END})`,
  'i',
);

/** The words by which a question names "the context", "the passage", …: who searches has no passage before them. */
export function namesTheContext(question: string): string | undefined {
  return NAMES_ITS_SOURCE.exec(question)?.[0];
}

/**
 * Drops the questions that name the context, and those that say nearly the same as an earlier one, of any chunk: their
 * meaning words have a Jaccard similarity of 0.8 or more, and their numbers are equal.
 * @returns the result without what was dropped, its summary brought up to date, and the list of what was dropped.
 */
export function filterQuestions(result: GenerationResult): { result: GenerationResult; dropped: DroppedQuestion[] } {
  const dropped: DroppedQuestion[] = [];
  const asked = [...result.questions].flatMap(([chunkId, list]) => list.map((question) => ({ chunkId, question })));
  const independent = asked.filter((one) => {
    const detail = namesTheContext(one.question);
    if (detail) dropped.push({ ...one, reason: 'names the context', detail });
    return !detail;
  });
  const texts = independent.map(({ question }) => question);
  const repeated = findRepeats(texts, 0.8);
  const questions = new Map<string, string[]>([...result.questions.keys()].map((id) => [id, []]));
  for (const [i, one] of independent.entries()) {
    if (repeated[i] < 0) questions.get(one.chunkId)!.push(one.question);
    else dropped.push({ ...one, reason: 'repeats another question', detail: texts[repeated[i]] });
  }
  const counts = { ...result.summary.dropped };
  for (const { reason } of dropped) counts[reason] = (counts[reason] ?? 0) + 1;
  const chunksWithoutQuestions = [...questions].filter(([, list]) => list.length === 0).map(([id]) => id);
  return { result: { questions, summary: { ...result.summary, dropped: counts, chunksWithoutQuestions } }, dropped };
}
