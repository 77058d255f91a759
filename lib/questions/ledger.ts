// In: a corpus, what to ask about it, and its cached answers. Out: what is answered, what is missing, the requests for
// it and, at the end, the account; the same for live calls and batches.
import { contentId } from '../common/ids';
import { publicUrl } from '../common/openai';
import { appendAnswer, batchFile, cacheFile, type LlmAnswer, readAnswers, readBatches } from './answer-cache';
import { examOf } from './exam';
import type { GenerationOptions, GenerationResult, SourceChunk } from './generator';
import type { ChatRequest } from './llm-client';
import type { LlmSettings, Task } from './llm-settings';
import type { ParsedAnswer } from './parse-answer';

/** How often a chunk is asked about, over all runs: a model that draws its words may do better at the next try. */
const ANSWERS_PER_CHUNK = 5;
/** Words that differ from try to try, and still make sense. */
const TEMPERATURE = 0.7;
/** Room for a question, in any language, and for the JSON around all of them: a model that rambles ends there. */
const TOKENS_PER_QUESTION = 100;
const TOKENS_AROUND = 100;

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
  private readonly file: string;
  private readonly task: Task;
  private readonly entries = new Map<string, Entry>();
  /** The entry of each chunk. */
  private readonly entryOf: Entry[];
  /** Keys of the requests that are with a server in a batch, or about to be. */
  private readonly out: Set<string>;
  private readonly problems: Record<string, number> = {};

  private constructor(
    private readonly settings: LlmSettings,
    readonly chunks: SourceChunk[],
    private readonly options: GenerationOptions,
  ) {
    const { questionsPerChunk, corpus } = options;
    if (!Number.isInteger(questionsPerChunk) || questionsPerChunk < 1)
      throw new Error(`QUESTIONS_PER_CHUNK is ${questionsPerChunk}; it must be a whole number, 1 or more.`);
    const { cacheDir, task = examOf(settings) } = settings;
    this.file = cacheFile(cacheDir, corpus);
    this.task = task;
    const batches = readBatches(batchFile(cacheDir, corpus)).filter(({ collected }) => !collected);
    this.out = new Set(batches.flatMap(({ requests }) => Object.keys(requests)));
    this.entryOf = chunks.map((chunk) => {
      const key = this.keyOf(chunk);
      const entry = this.entries.get(key) ?? { key, chunk, copies: 0, answers: 0 };
      entry.copies++;
      this.entries.set(key, entry);
      return entry;
    });
  }

  /**
   * What is known about every chunk, from the corpus' files; answers to other requests are passed over.
   * @throws Error as {@link examOf}, or if the number of questions makes no sense.
   */
  static async open(settings: LlmSettings, chunks: SourceChunk[], options: GenerationOptions): Promise<Ledger> {
    const ledger = new Ledger(settings, chunks, options);
    await readAnswers(ledger.file, ({ key, answer }) => {
      const entry = ledger.entries.get(key);
      if (entry) ledger.add(entry, answer);
    });
    return ledger;
  }

  /** The identity of a request: what is asked, of whom, and how. Two chunks share an answer only if all is the same. */
  private keyOf(chunk: SourceChunk): string {
    const { model, baseURL } = this.settings;
    // Answers on disk are found by it: leave names and order.
    const parts = [
      ['message', this.task.message(chunk, this.options)],
      ['model', model],
      ['questionsPerChunk', this.options.questionsPerChunk],
      ['server', publicUrl(baseURL)],
      ['temperature', TEMPERATURE],
    ];
    return contentId(...parts).slice(0, 32);
  }

  /** The request for one chunk. */
  request({ chunk, answers }: Entry): ChatRequest {
    return {
      model: this.settings.model,
      messages: [{ role: 'user', content: this.task.message(chunk, this.options) }],
      temperature: TEMPERATURE,
      // Another one for each try, or a server that draws by it would say the same again.
      seed: answers,
      max_tokens: this.options.questionsPerChunk * TOKENS_PER_QUESTION + TOKENS_AROUND,
      response_format: this.task.format,
    };
  }

  /** Takes in an answer; it is on disk first. */
  keep(entry: Entry, answer: LlmAnswer): void {
    this.add(entry, appendAnswer(this.file, this.settings, { key: entry.key, chunk: entry.chunk.id }, answer));
  }

  private add(entry: Entry, answer: string): void {
    const parsed = this.task.read(answer, entry.chunk, this.options);
    entry.answers++;
    if (!entry.best || parsed.questions.length > entry.best.questions.length) entry.best = parsed;
  }

  /** Notes why a request got no answer in this run. */
  addProblem(entry: Entry, problem: string): void {
    this.problems[problem] = (this.problems[problem] ?? 0) + entry.copies;
  }

  isMissing(entry: Entry): boolean {
    return entry.answers < ANSWERS_PER_CHUNK && !entry.best?.questions.length;
  }

  /** What is still to be asked, in corpus order; or, of what lacks an answer, that which is out in batches. */
  missing({ out = false } = {}): Entry[] {
    return [...this.entries.values()].filter((entry) => this.isMissing(entry) && this.out.has(entry.key) === out);
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
      const { best } = this.entryOf[i];
      const found = best?.questions ?? [];
      questions.set(chunk.id, [...found]);
      if (!best) summary.failed++;
      else summary.answered++;
      if (best?.outcome === 'empty') summary.empty++;
      if (best?.outcome === 'unparsable') summary.unparsable++;
      if (found.length > 0 && found.length < this.options.questionsPerChunk) summary.underFilled++;
      for (const [reason, n] of Object.entries(best?.dropped ?? {})) dropped[reason] = (dropped[reason] ?? 0) + n;
    });
    const problems = Object.keys(this.problems).length > 0 ? { problems: this.problems } : {};
    const { style } = this.task;
    const styles = style && new Map(this.chunks.map((chunk) => [chunk.id, style(chunk, this.options)]));
    return { questions, summary: { ...summary, ...problems, dropped }, styles };
  }
}
