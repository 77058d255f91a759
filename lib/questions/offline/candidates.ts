// A chunk and what is known of its corpus go in; out come all questions that can be asked about it, each with its worth.

import { seededRandom } from '../../common/random';
import type { SourceChunk } from '../generator';
import { linesOf, type Sentence, sentencesOf } from './chunk-sentences';
import { parseClause } from './clauses';
import { isEnglish } from './is-english';
import { lineKey, repeatedLines } from './line-furniture';
import { paraphrase } from './paraphrase';
import { headingQuestions, phraseQuestions } from './phrases';
import { Salience, termsOf } from './salience';
import type { Candidate } from './select';
import { tableQuestions } from './table-questions';
import { type Draft, type QuestionKind, questionsFromClause } from './templates';
import { companyName, outsiderVoice } from './voice';
import { isWellFormed } from './well-formed';
import { tokensOf, Words } from './words';

/** What each kind of question is worth beside the others; 0 leaves a kind out. */
export type Mixture = Record<QuestionKind, number>;

export const MIXTURE: Mixture = {
  why: 1.2,
  how: 1.1,
  when: 1.1,
  amount: 1.1,
  definition: 1.1,
  which: 1,
  whether: 0.9,
  phrase: 0.8,
  heading: 0.8,
  table: 0.6,
  statement: 0,
};
const HEADING_SENTENCE_BONUS = 1.3;
const PARAPHRASED_SHARE = 0.25;
// Row labels, titles and defined terms are names.
const KEEPS_WORDS = new Set<QuestionKind>(['table', 'heading', 'definition']);
// A question is dropped where some other chunk fits its words this much better than its own.
const MIN_POINTING = 0.85;
const MIN_TERMS = 3;
// Not made by turning a clause round.
const KEEPS_FORM = new Set<QuestionKind>(['phrase', 'heading', 'table', 'statement']);
const MAX_WORDS = 40;

/** What the corpus as a whole says. */
export interface Corpus {
  words: Words;
  repeated: Set<string>;
  salience: Salience;
  company: string;
}

/** Reads all chunks once. */
export function readCorpus(chunks: SourceChunk[]): Corpus {
  const lines = chunks.map((chunk) => linesOf(chunk.text));
  const texts = lines.map((list) => list.join('\n'));
  return {
    words: new Words(texts),
    repeated: repeatedLines(lines),
    salience: new Salience(texts),
    company: companyName(texts),
  };
}

/** Every question worth asking about the chunk at position `at`; `drop` is told why others aren't. */
export function candidatesFor(
  chunk: SourceChunk,
  at: number,
  corpus: Corpus,
  seed: number,
  mixture: Mixture,
  drop: (reason: string) => void,
): Candidate[] {
  if (!isEnglish(chunk.text)) {
    drop('chunk is not in English');
    return [];
  }
  const { salience, words } = corpus;
  const random = seededRandom(`${seed} ${chunk.text}`);
  const sentences = sentencesOf(chunk.text, words, corpus.repeated);
  const drafts: { draft: Draft; source: number; weight: number }[] = [];
  sentences.forEach((sentence, source) => {
    const weight = salience.of(sentence.text, at) * (sentence.isHeading ? HEADING_SENTENCE_BONUS : 1);
    for (const draft of draftsFor(sentence, at, corpus, random)) drafts.push({ draft, source, weight });
  });
  for (const draft of tableQuestions(chunk.text, words))
    drafts.push({ draft, source: -1, weight: salience.of(draft.text, at) });

  const candidates = new Map<string, Candidate>();
  for (const { draft, source, weight } of drafts) {
    if (mixture[draft.kind] === 0) continue;
    const voiced = outsiderVoice(draft.text, random() < 0.5 ? corpus.company : '');
    const inOtherWords =
      voiced && (KEEPS_WORDS.has(draft.kind) ? voiced : paraphrase(voiced, PARAPHRASED_SHARE, random));
    const text = inOtherWords && finish(inOtherWords, words);
    if (!text) drop('unclear who speaks');
    else if (new Set(termsOf(text)).size < (draft.kind === 'definition' ? 2 : MIN_TERMS)) drop('too few telling words');
    else if (text.split(' ').length > MAX_WORDS) drop('too long');
    else if (tokensOf(text).some((token) => words.isBroken(token))) drop('broken words');
    else {
      const pointing = salience.pointsTo(text, at);
      if (pointing < MIN_POINTING) drop('fits other chunks better');
      else if (!KEEPS_FORM.has(draft.kind) && !isWellFormed(text)) drop('not well formed');
      else {
        const worth = mixture[draft.kind] * (weight + salience.of(text, at)) * Math.min(pointing, 2) ** 0.5;
        const key = lineKey(text);
        if (worth > (candidates.get(key)?.worth ?? 0)) candidates.set(key, { text, kind: draft.kind, source, worth });
      }
    }
  }
  return [...candidates.values()];
}

function draftsFor(sentence: Sentence, at: number, { salience, words }: Corpus, random: () => number): Draft[] {
  const clause = isSentence(sentence) ? parseClause(sentence.text) : undefined;
  const pick = (count: number): number => Math.floor(random() * count);
  const statement: Draft[] = sentence.isFragment ? [] : [{ kind: 'statement', text: sentence.text }];
  return [
    ...(clause ? questionsFromClause(clause) : []),
    ...phraseQuestions(sentence, at, salience, words, pick),
    ...headingQuestions(sentence, at, salience, words, pick),
    ...statement,
  ];
}

// A full sentence, or a heading that reads as one (`Storms may close our harbours`).
function isSentence({ text, isHeading, isFragment }: Sentence): boolean {
  return isHeading
    ? /\b(may|might|could|will|is|are|depends?|relies|rely)\b/.test(text)
    : !isFragment && /[.;:]$/.test(text);
}

// Capitals that only opened a sentence go, the question's own comes; one space between words.
function finish(text: string, words: Words): string {
  const parts = text.replace(/\s+/g, ' ').trim().split(' ');
  const written = parts.map((word, at) => {
    const before = parts[at - 1] ?? '';
    const follows = at === 1 || /^\p{Ll}/u.test(before);
    if (at === 0 || at > 4 || !follows || !/^\p{Lu}\p{Ll}*(?:['-][\p{Ll}'-]*)?$/u.test(word)) return word;
    const isName = /^\p{Lu}/u.test(parts[at + 1] ?? '') || !words.isCommon(word.replace(/'s?$/, ''));
    return /^(The|A|An|Our|These|Any|Such|This|Its|About|Some|Most|Nearly|Almost)$/.test(word) || !isName
      ? word.toLowerCase()
      : word;
  });
  const question = written.join(' ');
  return question.charAt(0).toUpperCase() + question.slice(1);
}
