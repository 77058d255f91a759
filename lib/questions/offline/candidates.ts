// In: a chunk, and what is known of its corpus. Out: the questions that can be asked about it, and the best of them.
import { seededRandom } from '../../common/random';
import { Bm25 } from '../../common/text/bm25';
import { withoutFurniture } from '../../common/text/page-furniture';
import { terms } from '../../common/text/terms';
import type { SourceChunk } from '../generator';
import { sentencesOf } from './chunk-sentences';
import { parseClause } from './clause';
import { claimOf, type Draft, type QuestionKind, questionsFromClause } from './clause-questions';
import { companyName, outsiderVoice } from './voice';
import { isFlawed, isWellFormed } from './well-formed';
import { Words } from './words';

// What questions of these kinds are worth beside the others: they hold their answer.
const WORTH: Partial<Record<QuestionKind, number>> = { whether: 0.85, claim: 0.6 };
// A question is dropped where some other chunk fits its words this much better than its own.
const MIN_POINTING = 0.85;
const MIN_TERMS = 3;
// Not made by turning a clause round.
const AS_WRITTEN: QuestionKind[] = ['definition', 'claim'];

const SAME_SENTENCE = 0.45;
const SAME_KIND = 0.85;
const NEAR_DUPLICATE = 0.7;

interface Candidate {
  text: string;
  kind: QuestionKind;
  /** Which sentence of the chunk it comes from. */
  source: number;
  /** Higher is better. */
  worth: number;
}

/** Reads all chunks once: their texts without running heads, and what the corpus as a whole says. */
export function readCorpus(chunks: SourceChunk[]) {
  const texts = withoutFurniture(chunks.map(({ text }) => text));
  const bm25 = new Bm25(texts.map((text) => terms(text)));
  return { texts, words: new Words(texts), bm25, company: companyName(texts) };
}

/** Every question worth asking about the chunk at position `at`; `drop`, told why another isn't, gives none. */
export function candidatesFor(
  at: number,
  { texts, words, bm25, company }: ReturnType<typeof readCorpus>,
  drop: (reason: string) => [],
): Candidate[] {
  const random = seededRandom(`0 ${texts[at]}`);
  // Mean weight of distinct terms in the chunk, short texts damped: what they say about it.
  const salience = (distinct: string[]): number =>
    distinct.reduce((sum, term) => sum + bm25.weight(term, at), 0) / (distinct.length + 4);
  const candidate = (draft: Draft, source: number, weight: number): Candidate[] => {
    const { kind } = draft;
    const voiced = outsiderVoice(draft.text, random() < 0.5 ? company : '');
    if (!voiced) return drop('unclear who speaks');
    const text = voiced.charAt(0).toUpperCase() + voiced.slice(1);
    const reads = AS_WRITTEN.includes(kind) ? !isFlawed(text) : isWellFormed(text);
    if (!reads) return drop('not well formed');
    const distinct = [...new Set(terms(text))];
    if (distinct.length < MIN_TERMS && kind !== 'definition') return drop('too few telling words');
    const scores = bm25.scores(distinct);
    const pointing = scores[at] / scores.reduce((best, score, i) => (i !== at && score > best ? score : best), 1e-9);
    if (pointing < MIN_POINTING) return drop('fits other chunks better');
    const worth = (WORTH[kind] ?? 1) * (weight + salience(distinct)) * Math.min(pointing, 2) ** 0.5;
    return [{ text, kind, source, worth }];
  };
  return sentencesOf(texts[at], words).flatMap((original, source) => {
    const sentence = withoutCapital(original, words);
    const weight = salience([...new Set(terms(sentence))]);
    const asked = (drafts: Draft[]) => drafts.flatMap((draft) => candidate(draft, source, weight));
    const clause = parseClause(sentence);
    const turned = clause ? asked(questionsFromClause(clause)) : [];
    return turned.length > 0 ? turned : asked(claimOf(sentence, random));
  });
}

/**
 * Up to `count` candidates, best first, no two alike: each next one is taken for its worth, less for a sentence, a kind
 * or words asked already (maximal marginal relevance: Carbonell & Goldstein, 1998).
 */
export function selectQuestions(candidates: Candidate[], count: number): string[] {
  let pool = candidates.map((candidate) => ({ ...candidate, words: new Set(terms(candidate.text)) }));
  const chosen: string[] = [];
  while (chosen.length < count && pool.length > 0) {
    const best = pool.reduce((a, b) => (b.worth > a.worth ? b : a));
    chosen.push(best.text);
    pool = pool.filter((other) => {
      const shared = other.words.intersection(best.words).size;
      const overlap = shared / (other.words.size + best.words.size - shared);
      if (other.source === best.source) other.worth *= SAME_SENTENCE;
      if (other.kind === best.kind) other.worth *= SAME_KIND;
      other.worth *= 1 - overlap;
      return other !== best && overlap < NEAR_DUPLICATE;
    });
  }
  return chosen;
}

// The capital that only opens a sentence goes: its first word will stand inside a question.
function withoutCapital(sentence: string, words: Words): string {
  const [first, second = ''] = sentence.split(' ', 2);
  const isCommon = !/^\p{Lu}/u.test(second) && words.isCommon(first.replace(/'s?$|,$/, ''));
  return isCommon || /^(The|An?|Our|We|In|On|At|As|By|For|If|Any|Its|About|Some|Most|Nearly|Almost)$/.test(first)
    ? sentence.charAt(0).toLowerCase() + sentence.slice(1)
    : sentence;
}
