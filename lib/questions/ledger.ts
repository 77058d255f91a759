// In: a corpus, what to ask about it, and its cached answers. Out: what is answered, what is missing, the requests for
// it and, at the end, the account; the same for live calls and batches.
import { contentId } from '../common/ids';
import { publicUrl } from '../common/openai';
import { appendAnswer, batchFile, cacheFile, type LlmAnswer, readAnswers, readBatches } from './answer-cache';
import type { GenerationOptions, GenerationResult, SourceChunk } from './generator';
import type { ChatRequest } from './llm-client';
import type { LlmSettings } from './llm-settings';
import type { ParsedAnswer } from './parse-answer';
import { examOf } from './prompt';

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
export type Ledger = ReturnType<typeof openLedger>;

/**
 * What is known about every chunk, from the corpus' files; answers to other requests are passed over.
 * @throws Error as {@link examOf}, or if the number of questions makes no sense.
 */
export function openLedger(settings: LlmSettings, chunks: SourceChunk[], options: GenerationOptions) {
  const { model, baseURL, cacheDir, task = examOf(settings) } = settings;
  const { questionsPerChunk, corpus } = options;
  if (!Number.isInteger(questionsPerChunk) || questionsPerChunk < 1)
    throw new Error(`QUESTIONS_PER_CHUNK is ${questionsPerChunk}; it must be a whole number, 1 or more.`);

  /** The identity of a request: what is asked, of whom, and how. Two chunks share an answer only if all is the same. */
  const keyOf = (chunk: SourceChunk): string => {
    // Answers on disk are found by it: leave names and order.
    const parts = [
      ['message', task.message(chunk, options)],
      ['model', model],
      ['questionsPerChunk', questionsPerChunk],
      ['server', publicUrl(baseURL)],
      ['temperature', TEMPERATURE],
    ];
    return contentId(...parts).slice(0, 32);
  };
  const entries = new Map<string, Entry>();
  const entryOf = chunks.map((chunk) => {
    const key = keyOf(chunk);
    const entry = entries.get(key) ?? { key, chunk, copies: 0, answers: 0 };
    entry.copies++;
    entries.set(key, entry);
    return entry;
  });
  const batches = readBatches(batchFile(cacheDir, corpus)).filter(({ collected }) => !collected);
  /** Keys of the requests that are with a server in a batch, or about to be. */
  const isOut = new Set(batches.flatMap(({ requests }) => Object.keys(requests)));
  const problems: Record<string, number> = {};

  const add = (entry: Entry, answer: string): void => {
    const parsed = task.read(answer, entry.chunk, options);
    entry.answers++;
    if (!entry.best || parsed.questions.length > entry.best.questions.length) entry.best = parsed;
  };
  const file = cacheFile(cacheDir, corpus);
  for (const { key, answer } of readAnswers(file)) {
    const entry = entries.get(key);
    if (entry) add(entry, answer);
  }
  const isMissing = ({ answers, best }: Entry): boolean => answers < ANSWERS_PER_CHUNK && !best?.questions.length;

  return {
    chunks,
    isMissing,
    /** What is still to be asked, in corpus order; or, of what lacks an answer, that which is out in batches. */
    missing: ({ out = false } = {}): Entry[] =>
      [...entries.values()].filter((entry) => isMissing(entry) && isOut.has(entry.key) === out),
    /** The request for one chunk. */
    request: ({ chunk, answers }: Entry): ChatRequest => ({
      model,
      messages: [{ role: 'user', content: task.message(chunk, options) }],
      temperature: TEMPERATURE,
      // Another one for each try, or a server that draws by it would say the same again.
      seed: answers,
      max_tokens: questionsPerChunk * TOKENS_PER_QUESTION + TOKENS_AROUND,
      response_format: task.format,
    }),
    /** Takes in an answer; it is on disk first. */
    keep: (entry: Entry, answer: LlmAnswer): void =>
      add(entry, appendAnswer(file, settings, { key: entry.key, chunk: entry.chunk.id }, answer)),
    /** Notes why a request got no answer in this run. */
    addProblem(entry: Entry, problem: string): void {
      problems[problem] = (problems[problem] ?? 0) + entry.copies;
    },
    /** Questions and account; `asked`: how many requests this run sent. */
    result(asked: number): GenerationResult {
      const questions = new Map<string, string[]>();
      const dropped: Record<string, number> = {};
      const summary = { asked, answered: 0, empty: 0, underFilled: 0, unparsable: 0, failed: 0, dropped };
      chunks.forEach((chunk, i) => {
        const { best } = entryOf[i];
        const found = best?.questions ?? [];
        questions.set(chunk.id, [...found]);
        summary[best ? 'answered' : 'failed']++;
        if (best && best.outcome !== 'questions') summary[best.outcome]++;
        if (found.length > 0 && found.length < questionsPerChunk) summary.underFilled++;
        for (const [reason, n] of Object.entries(best?.dropped ?? {})) dropped[reason] = (dropped[reason] ?? 0) + n;
      });
      const styles = task.style && new Map(chunks.map((chunk) => [chunk.id, task.style!(chunk, options)]));
      return { questions, summary: { ...summary, ...(Object.keys(problems).length > 0 && { problems }) }, styles };
    },
  };
}
