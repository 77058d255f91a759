// In: a corpus and its cached answers. Out: what is answered, what is missing and, at the end, the account.
import { AnswerCache, cacheRecord, type LlmAnswer } from './answer-cache';
import type { GenerationOptions, GenerationResult, SourceChunk } from './generator';
import { cacheFile, type LlmSettings } from './llm-settings';
import type { ParsedAnswer } from './parse-answer';

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
  readonly cache: AnswerCache;
  private readonly entries = new Map<string, Entry>();
  private readonly keys: string[];
  private readonly problems: Record<string, number> = {};

  /** Use {@link Ledger.open}. */
  constructor(
    private readonly settings: Pick<LlmSettings, 'model' | 'apiKey' | 'cacheDir'>,
    readonly chunks: SourceChunk[],
    private readonly options: GenerationOptions,
    keyOf: (chunk: SourceChunk) => string,
    private readonly read: (answer: string, chunk: SourceChunk) => ParsedAnswer,
    private readonly answersPerChunk: number,
  ) {
    const { questionsPerChunk, corpus } = options;
    if (!Number.isInteger(questionsPerChunk) || questionsPerChunk < 1)
      throw new Error(`QUESTIONS_PER_CHUNK is ${questionsPerChunk}; it must be a whole number, 1 or more.`);
    this.cache = new AnswerCache(cacheFile(settings.cacheDir, corpus));
    this.keys = chunks.map(keyOf);
    chunks.forEach((chunk, i) => {
      const key = this.keys[i];
      const entry = this.entries.get(key);
      if (entry) entry.copies++;
      else this.entries.set(key, { key, chunk, copies: 1, answers: 0 });
    });
  }

  /**
   * What is known about every chunk, from the corpus' cache; answers to other requests are passed over.
   * @param keyOf The key that a chunk's answer is kept under.
   * @param read Finds the questions in an answer.
   * @param answersPerChunk How often a chunk is asked about, over all runs, if its answers hold no question.
   */
  static async open(...of: ConstructorParameters<typeof Ledger>): Promise<Ledger> {
    const ledger = new Ledger(...of);
    await ledger.cache.read(({ key, answer }) => {
      const entry = ledger.entries.get(key);
      if (entry) ledger.add(entry, answer);
    });
    return ledger;
  }

  /** Takes in an answer; resolves once it is on disk. */
  async keep(entry: Entry, answer: LlmAnswer): Promise<void> {
    const record = cacheRecord(this.settings, entry.key, entry.chunk.id, answer);
    await this.cache.append(record);
    this.add(entry, record.answer);
  }

  private add(entry: Entry, answer: string): void {
    const parsed = this.read(answer, entry.chunk);
    entry.answers++;
    if (!entry.best || parsed.questions.length > entry.best.questions.length) entry.best = parsed;
  }

  /** Notes why a request got no answer in this run. */
  addProblem(entry: Entry, problem: string): void {
    this.problems[problem] = (this.problems[problem] ?? 0) + entry.copies;
  }

  isMissing(entry: Entry): boolean {
    return entry.answers < this.answersPerChunk && !entry.best?.questions.length;
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
      if (found.length > 0 && found.length < this.options.questionsPerChunk) summary.underFilled++;
      for (const [reason, n] of Object.entries(best?.dropped ?? {})) dropped[reason] = (dropped[reason] ?? 0) + n;
    });
    const chunksWithoutQuestions = [...questions].filter(([, list]) => list.length === 0).map(([id]) => id);
    const problems = Object.keys(this.problems).length > 0 ? { problems: this.problems } : {};
    return { questions, summary: { ...summary, ...problems, dropped, chunksWithoutQuestions } };
  }
}
