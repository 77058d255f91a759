// A corpus and its cached answers go in; what is answered, what is missing and, at the end, the account come out.

import { isInAnotherLanguage } from '../common/text/language';
import type { AnswerCache } from './answer-cache';
import type { GenerationResult, SourceChunk } from './generator';
import { type ParsedAnswer, parseAnswer } from './parse-answer';

const ANSWERS_PER_CHUNK = 5;

export interface LedgerRules {
  /** How often a chunk is asked about, over all runs, if its answers hold no question; 5 by default. */
  answersPerChunk?: number;
  /** Whether questions in another language than their chunk are left aside; not by default. */
  sameLanguage?: boolean;
}

/** One distinct request, its answers so far, and the one with most questions. */
export interface Entry {
  key: string;
  /** The first chunk it is about, and how many there are. */
  chunk: SourceChunk;
  copies: number;
  answers: number;
  best?: ParsedAnswer;
}

/** Keeps count of every chunk's answers; chunks whose requests are equal share one entry. */
export class Ledger {
  private readonly entries = new Map<string, Entry>();
  private readonly keys: string[];
  private readonly problems: Record<string, number> = {};

  constructor(
    private readonly chunks: SourceChunk[],
    keyOf: (chunk: SourceChunk) => string,
    private readonly questionsPerChunk: number,
    private readonly rules: LedgerRules = {},
  ) {
    if (!Number.isInteger(questionsPerChunk) || questionsPerChunk < 1)
      throw new Error(`QUESTIONS_PER_CHUNK is ${questionsPerChunk}; it must be a whole number, 1 or more.`);
    this.keys = chunks.map(keyOf);
    chunks.forEach((chunk, i) => {
      const key = this.keys[i];
      const entry = this.entries.get(key);
      if (entry) entry.copies++;
      else this.entries.set(key, { key, chunk, copies: 1, answers: 0 });
    });
  }

  /** Takes in the cache's answers; those to other requests are passed over. */
  async readCache(cache: AnswerCache): Promise<void> {
    await cache.read(({ key, answer }) => {
      const entry = this.entries.get(key);
      if (entry) this.add(entry, answer);
    });
  }

  add(entry: Entry, answer: string): void {
    const parsed = parseAnswer(answer, this.questionsPerChunk);
    if (this.rules.sameLanguage) leaveForeignAside(parsed, entry.chunk.text);
    entry.answers++;
    if (!entry.best || parsed.questions.length > entry.best.questions.length) entry.best = parsed;
  }

  /** Notes why a request got no answer in this run. */
  addProblem(entry: Entry, error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    this.problems[problem] = (this.problems[problem] ?? 0) + entry.copies;
  }

  isMissing(entry: Entry): boolean {
    return entry.answers < (this.rules.answersPerChunk ?? ANSWERS_PER_CHUNK) && !entry.best?.questions.length;
  }

  /** What is still to be asked, in corpus order. */
  missing(): Entry[] {
    return [...this.entries.values()].filter((entry) => this.isMissing(entry));
  }

  /**
   * Questions and account.
   * @param asked How many requests this run sent.
   */
  result(asked: number): GenerationResult {
    const questions = new Map<string, string[]>();
    const summary = { asked, answered: 0, empty: 0, underFilled: 0, unparsable: 0, failed: 0 };
    const dropped: Record<string, number> = {};
    this.chunks.forEach((chunk, i) => {
      const { best } = this.entries.get(this.keys[i])!;
      const found = best?.questions ?? [];
      questions.set(chunk.id, [...found]);
      if (!best) summary.failed++;
      else summary.answered++;
      if (best?.outcome === 'empty') summary.empty++;
      if (best?.outcome === 'unparsable') summary.unparsable++;
      if (found.length > 0 && found.length < this.questionsPerChunk) summary.underFilled++;
      for (const [reason, n] of Object.entries(best?.dropped ?? {})) dropped[reason] = (dropped[reason] ?? 0) + n;
    });
    const chunksWithoutQuestions = [...questions].filter(([, list]) => list.length === 0).map(([id]) => id);
    const problems = Object.keys(this.problems).length > 0 ? { problems: this.problems } : {};
    return { questions, summary: { ...summary, ...problems, dropped, chunksWithoutQuestions } };
  }
}

function leaveForeignAside(parsed: ParsedAnswer, text: string): void {
  const own = parsed.questions.filter((question) => !isInAnotherLanguage(question, text));
  const foreign = parsed.questions.length - own.length;
  if (foreign > 0) parsed.dropped['in another language'] = foreign;
  parsed.questions = own;
}
