// In: all candidate questions of a chunk. Out: the best, ordered, no two alike: each next one is taken for its worth,
// less for a sentence, a kind or words asked already (maximal marginal relevance: Carbonell & Goldstein, 1998).
import { terms } from '../../common/text/terms';
import type { QuestionKind } from './clause-questions';

export interface Candidate {
  text: string;
  kind: QuestionKind;
  /** Which sentence of the chunk it comes from. */
  source: number;
  /** Higher is better. */
  worth: number;
}

const SAME_SENTENCE = 0.45;
const SAME_KIND = 0.85;
const NEAR_DUPLICATE = 0.7;

/** Up to `count` candidates, best first. */
export function selectQuestions(candidates: Candidate[], count: number): Candidate[] {
  let pool = candidates.map((candidate) => ({
    candidate,
    words: new Set(terms(candidate.text)),
    worth: candidate.worth,
  }));
  const chosen: Candidate[] = [];
  while (chosen.length < count && pool.length > 0) {
    const best = pool.reduce((a, b) => (b.worth > a.worth ? b : a));
    chosen.push(best.candidate);
    pool = pool.filter((other) => {
      const shared = [...other.words].filter((word) => best.words.has(word)).length;
      const overlap = shared / (other.words.size + best.words.size - shared);
      if (other.candidate.source === best.candidate.source) other.worth *= SAME_SENTENCE;
      if (other.candidate.kind === best.candidate.kind) other.worth *= SAME_KIND;
      other.worth *= 1 - overlap;
      return other !== best && overlap < NEAR_DUPLICATE;
    });
  }
  return chosen;
}
