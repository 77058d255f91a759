// Chunks go in; out come questions a reader would ask about them, made without any model: the corpus is read once for
// its words and their weights, each chunk's sentences are turned into questions, and the most telling ones are kept.
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from '../generator';
import { parseClause } from './clauses';
import { lineKey, repeatedLines } from './furniture';
import { isEnglish } from './language';
import { paraphrase } from './paraphrase';
import { phraseQuestions, tableQuestions } from './phrases';
import { seededRandom } from './random';
import { Salience, termsOf } from './salience';
import { type Candidate, selectQuestions } from './select';
import { linesOf, type Sentence, sentencesOf } from './sentences';
import { type Draft, type QuestionKind, questionsFromClause } from './templates';
import { companyName, outsiderVoice } from './voice';
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
const MAX_WORDS = 40;

interface Corpus {
  words: Words;
  repeated: Set<string>;
  salience: Salience;
  company: string;
}

/**
 * The question generator for users with neither an API key nor an LLM server.
 * @param options.seed - the one source of chance: equal seeds and chunks give equal questions
 * @param options.mixture - what each kind of question is worth; the default leaves bare statements out, since they are no questions
 */
export function createOfflineGenerator({
  seed = 0,
  mixture = MIXTURE,
}: {
  seed?: number;
  mixture?: Mixture;
} = {}): QuestionGenerator {
  return {
    name: 'offline',
    description: 'offline: questions made from salient sentences and terms by rules, no language model',
    generate: (chunks, options) => generate(chunks, options, seed, mixture),
  };
}

async function generate(
  chunks: SourceChunk[],
  options: GenerationOptions,
  seed: number,
  mixture: Mixture,
): Promise<GenerationResult> {
  const { questionsPerChunk, onProgress, signal } = options;
  if (!Number.isInteger(questionsPerChunk) || questionsPerChunk < 1)
    throw new Error(`questionsPerChunk is ${questionsPerChunk}: it must be a whole number, 1 or more`);
  const corpus = readCorpus(chunks);
  const questions = new Map<string, string[]>();
  const asked = new Set<string>();
  const dropped: Record<string, number> = {};
  const drop = (reason: string): void => {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  };
  const start = Date.now();
  for (const [at, chunk] of chunks.entries()) {
    signal?.throwIfAborted();
    const candidates = candidatesFor(chunk, at, corpus, seed, mixture, drop);
    const fresh = candidates.filter((candidate) => {
      const isNew = !asked.has(lineKey(candidate.text));
      if (!isNew) drop('asked about another chunk');
      return isNew;
    });
    const chosen = selectQuestions(fresh, questionsPerChunk).map((candidate) => candidate.text);
    for (const text of chosen) asked.add(lineKey(text));
    questions.set(chunk.id, chosen);
    const done = at + 1;
    onProgress?.({
      done,
      failed: 0,
      total: chunks.length,
      secondsLeft: ((Date.now() - start) / 1000 / done) * (chunks.length - done),
    });
    if (done % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const counts = [...questions.values()].map((list) => list.length);
  const summary = {
    asked: chunks.length,
    answered: counts.filter((count) => count > 0).length,
    empty: counts.filter((count) => count === 0).length,
    underFilled: counts.filter((count) => count > 0 && count < questionsPerChunk).length,
    unparsable: 0,
    failed: 0,
    dropped,
    chunksWithoutQuestions: [...questions].filter(([, list]) => list.length === 0).map(([id]) => id),
  };
  return { questions, summary };
}

function readCorpus(chunks: SourceChunk[]): Corpus {
  const lines = chunks.map((chunk) => linesOf(chunk.text));
  const texts = lines.map((list) => list.join('\n'));
  return {
    words: new Words(texts),
    repeated: repeatedLines(lines),
    salience: new Salience(texts),
    company: companyName(texts),
  };
}

function candidatesFor(
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
    else if (new Set(termsOf(text)).size < MIN_TERMS && draft.kind !== 'definition') drop('too few telling words');
    else if (text.split(' ').length > MAX_WORDS) drop('too long');
    else if (tokensOf(text).some((token) => words.isBroken(token))) drop('broken words');
    else {
      const pointing = salience.pointsTo(text, at);
      if (pointing < MIN_POINTING) drop('fits other chunks better');
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
    ...statement,
  ];
}

// A full sentence, or a heading that reads as one (`Storms may close our harbours`).
function isSentence({ text, isHeading, isFragment }: Sentence): boolean {
  return isHeading
    ? /\b(may|might|could|will|is|are|depends?|relies|rely)\b/.test(text)
    : !isFragment && /[.;:]$/.test(text);
}

// Capitals that only opened a sentence go; one space between words.
function finish(text: string, words: Words): string {
  const parts = text.replace(/\s+/g, ' ').trim().split(' ');
  return parts
    .map((word, at) => {
      const before = parts[at - 1] ?? '';
      if (at === 0 || at > 4 || !/^\p{Ll}/u.test(before) || !/^\p{Lu}\p{Ll}*$/u.test(word)) return word;
      const isName = /^\p{Lu}/u.test(parts[at + 1] ?? '') || !words.isCommon(word);
      return /^(The|A|An|Our|These|Any|Such|This|Its)$/.test(word) || !isName ? word.toLowerCase() : word;
    })
    .join(' ');
}
