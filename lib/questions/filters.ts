// In: a generator's questions. Out: the good ones, and a list of what was dropped and why.

import type { GenerationResult } from './generator';
import { findRepeats } from './similar';

/** A question as filters see it. */
export interface AskedQuestion {
  chunkId: string;
  question: string;
}

export interface DroppedQuestion extends AskedQuestion {
  /** Short, the same for all questions dropped for it; the key in `summary.dropped`. */
  reason: string;
  /** More about this one, such as the question it repeats. */
  detail?: string;
}

/** Looks at all questions of a corpus, in order, and names those to drop. */
export type QuestionFilter = (questions: AskedQuestion[]) => DroppedQuestion[];

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

/** Drops questions that name "the context", "the passage", …: nobody who searches has a passage before them. */
export const namesTheContext: QuestionFilter = (questions) =>
  questions
    .filter(({ question }) => NAMES_ITS_SOURCE.test(question))
    .map((asked) => ({ ...asked, reason: 'names the context', detail: NAMES_ITS_SOURCE.exec(asked.question)?.[0] }));

/**
 * Drops questions that say nearly the same as an earlier one, of any chunk: their meaning words have a Jaccard
 * similarity of 0.8 or more, and their numbers are equal.
 */
export const repeatsAnother: QuestionFilter = (questions) => {
  const repeated = findRepeats(
    questions.map(({ question }) => question),
    0.8,
  );
  return questions.flatMap((asked, i) =>
    repeated[i] < 0 ? [] : [{ ...asked, reason: 'repeats another question', detail: questions[repeated[i]].question }],
  );
};

/**
 * Passes a generator's result through filters, one after another.
 * @returns the result without what was dropped, its summary brought up to date, and the list of what was dropped.
 */
export function filterQuestions(
  result: GenerationResult,
  filters: QuestionFilter[] = [namesTheContext, repeatsAnother],
): { result: GenerationResult; dropped: DroppedQuestion[] } {
  let kept: AskedQuestion[] = [...result.questions].flatMap(([chunkId, questions]) =>
    questions.map((question) => ({ chunkId, question })),
  );
  const dropped: DroppedQuestion[] = [];
  for (const filter of filters) {
    const rejected = filter(kept);
    const gone = new Set(rejected.map(identity));
    kept = kept.filter((asked) => !gone.has(identity(asked)));
    dropped.push(...rejected);
  }

  const questions = new Map<string, string[]>([...result.questions.keys()].map((id) => [id, []]));
  for (const { chunkId, question } of kept) questions.get(chunkId)!.push(question);
  const counts = { ...result.summary.dropped };
  for (const { reason } of dropped) counts[reason] = (counts[reason] ?? 0) + 1;
  const chunksWithoutQuestions = [...questions].filter(([, list]) => list.length === 0).map(([id]) => id);
  return { result: { questions, summary: { ...result.summary, dropped: counts, chunksWithoutQuestions } }, dropped };
}

function identity({ chunkId, question }: AskedQuestion): string {
  return `${chunkId}\n${question}`;
}
