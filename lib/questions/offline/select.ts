// All candidate questions of a chunk go in; out come the best, ordered, no two alike: each next one is taken for
// its worth, less for repeating a sentence, a kind or words already asked (maximal marginal relevance, Carbonell & Goldstein 1998).
import { termsOf } from './salience';
import type { QuestionKind } from './templates';

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
  const pool = candidates.map((candidate) => ({ candidate, terms: new Set(termsOf(candidate.text)), overlap: 0 }));
  const chosen: Candidate[] = [];
  while (chosen.length < count) {
    let best = -1;
    let bestWorth = 0;
    pool.forEach(({ candidate, overlap }, at) => {
      if (overlap >= NEAR_DUPLICATE) return;
      const sameSentence = chosen.filter((other) => other.source === candidate.source).length;
      const sameKind = chosen.filter((other) => other.kind === candidate.kind).length;
      const worth = candidate.worth * (1 - overlap) * SAME_SENTENCE ** sameSentence * SAME_KIND ** sameKind;
      if (worth > bestWorth) [best, bestWorth] = [at, worth];
    });
    if (best < 0) break;
    const [taken] = pool.splice(best, 1);
    chosen.push(taken.candidate);
    for (const other of pool) other.overlap = Math.max(other.overlap, jaccard(other.terms, taken.terms));
  }
  return chosen;
}

function jaccard(a: Set<string>, b: Set<string>): number {
  let shared = 0;
  for (const term of a) if (b.has(term)) shared++;
  return shared / Math.max(1, a.size + b.size - shared);
}
