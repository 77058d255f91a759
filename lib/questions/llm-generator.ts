// In: chunks. Out: questions by a language model behind an OpenAI-compatible server.
import { readFileSync } from 'node:fs';
import { sha256 } from '../common/ids';
import { publicUrl, scrub, serverUrl } from '../common/openai';
import { isInAnotherLanguage } from '../common/text/language';
import { answerKey } from './answer-cache';
import { type Ask, askMissing } from './ask-missing';
import { keysOut, readBatches } from './batches-out';
import type { GenerationOptions, GenerationResult, QuestionGenerator, QuestionStyle, SourceChunk } from './generator';
import { type Entry, Ledger } from './ledger';
import { type ChatRequest, LlmClient } from './llm-client';
import { batchFile, type LlmSettings, type Task } from './llm-settings';
import { parseAnswer } from './parse-answer';
import { fillPrompt, ownStyle, QUESTION_STYLES, QUESTIONS_FORMAT } from './prompt';

/** A model that draws its words may do better at the next try. */
const ANSWERS_PER_CHUNK = 5;
/** Words that differ from try to try, and still make sense. */
const TEMPERATURE = 0.7;
/** Room for a question, in any language, and for the JSON around all of them: a model that rambles ends there. */
const TOKENS_PER_QUESTION = 100;
const TOKENS_AROUND = 100;

/** Whatever answers a request, such as a model in this process in place of a server. */
export type Chat = Pick<LlmClient, 'ask'>;

/** Asks a model of OpenAI, or of any server that speaks its API, to set an exam about every chunk. */
export class LlmQuestionGenerator implements QuestionGenerator {
  readonly description: string;

  /**
   * @param connect What answers, opened when there is something to ask; a client of the server by default.
   * @throws Error if no model is named, a style or a file of examples is none, the server's address is none, or the key
   *   can be none.
   */
  constructor(
    private readonly settings: LlmSettings,
    private readonly connect: () => Chat | Promise<Chat> = () => new LlmClient(settings),
  ) {
    if (!settings.model) throw new Error('LLM_MODEL is empty; name the model that shall write the questions.');
    const unknown = settings.styles?.find((style) => !Object.hasOwn(QUESTION_STYLES, style));
    if (unknown !== undefined)
      throw new Error(`QUESTION_STYLES names "${unknown}"; there are ${Object.keys(QUESTION_STYLES).join(', ')}.`);
    examplesIn(settings);
    // Refused before anything is asked.
    serverUrl(settings);
    this.description = scrub(`${settings.model} at ${publicUrl(settings.baseURL)}`, settings.apiKey);
  }

  /** The chunks that `generate` would send to the model, since no answer is in the cache or on its way in a batch. */
  async missing(chunks: SourceChunk[], options: GenerationOptions): Promise<SourceChunk[]> {
    const ledger = await openLlmLedger(this.settings, chunks, options);
    const out = keysOut(readBatches(batchFile(this.settings.cacheDir, options.corpus)));
    return ledger.missing().flatMap(({ key, chunk }) => (out.has(key) ? [] : [chunk]));
  }

  /**
   * Questions for every chunk. Calls that failed are tried again; a chunk that fails for good is named in the summary.
   * @throws Error if chunks are out in batches; with the server's message if no call can succeed (wrong key, unknown
   *   model, no server), or if chunk after chunk fails; the signal's reason if it aborts. Answers that came are kept.
   */
  async generate(chunks: SourceChunk[], options: GenerationOptions): Promise<GenerationResult> {
    options.signal?.throwIfAborted();
    const { concurrency = 4, price, cacheDir } = this.settings;
    const ledger = await openLlmLedger(this.settings, chunks, options);
    const file = batchFile(cacheDir, options.corpus);
    const out = keysOut(readBatches(file));
    const twice = ledger.missing().filter(({ key }) => out.has(key)).length;
    if (twice > 0)
      throw new Error(
        `${twice} chunk(s) are out in batches, and would be paid for twice: collect them first (askInBatches), or ` +
          `delete ${file} to ask now.`,
      );
    const chat = ledger.missing().length > 0 ? await this.connect() : undefined;
    const ask: Ask = (entry, callOptions) => chat!.ask(chatRequest(this.settings, entry, options), callOptions);
    const result = await askMissing(ledger, { ask, concurrency, price }, options);
    // A prompt of one's own may have no place for a style.
    if (this.settings.task || this.settings.prompt?.includes('{task}') === false) return result;
    return { ...result, styles: new Map(chunks.map((chunk) => [chunk.id, styleOf(this.settings, chunk, options)])) };
  }
}

/** The request for one chunk; the same for live calls and batches. */
export function chatRequest(settings: LlmSettings, { chunk, answers }: Entry, options: GenerationOptions): ChatRequest {
  return {
    model: settings.model,
    messages: [{ role: 'user', content: taskOf(settings).message(chunk, options) }],
    temperature: settings.temperature ?? TEMPERATURE,
    // Another one for each try, or a server that draws by it would say the same again.
    seed: answers,
    max_tokens: options.questionsPerChunk * TOKENS_PER_QUESTION + TOKENS_AROUND,
    response_format: taskOf(settings).format,
  };
}

/** What is known about every chunk, from the corpus' cache; the same for live calls and batches. */
export function openLlmLedger(
  settings: LlmSettings,
  chunks: SourceChunk[],
  options: GenerationOptions,
): Promise<Ledger> {
  const task = taskOf(settings);
  // What is asked, of whom, and how.
  const keyOf = (chunk: SourceChunk) =>
    answerKey({
      message: task.message(chunk, options),
      questionsPerChunk: options.questionsPerChunk,
      model: settings.model,
      server: publicUrl(settings.baseURL),
      temperature: settings.temperature ?? TEMPERATURE,
    });
  const read = (answer: string, chunk: SourceChunk) => task.read(answer, chunk, options);
  return Ledger.open(settings, chunks, options, keyOf, read, ANSWERS_PER_CHUNK);
}

/** Its text draws a chunk's style, the same in every run; when it is asked about again, the next one is taken. */
function styleOf({ styles, exampleFiles }: LlmSettings, { id, text }: SourceChunk, options: GenerationOptions) {
  if (exampleFiles?.length) return 'own';
  const names = styles?.length ? styles : Object.keys(QUESTION_STYLES);
  const drawn = Number.parseInt(sha256(text).slice(0, 8), 16) + Number(options.refused?.has(id) ?? false);
  return names[drawn % names.length] as QuestionStyle;
}

const taskOf = (settings: LlmSettings): Task => settings.task ?? examOf(settings);

/** Exam questions in a chunk's style. */
function examOf(settings: LlmSettings): Task {
  const { prompt } = settings;
  const examples = examplesIn(settings);
  return {
    format: QUESTIONS_FORMAT,
    message(chunk, options) {
      const name = styleOf(settings, chunk, options);
      const style = name === 'own' ? ownStyle(examples) : QUESTION_STYLES[name];
      const refused = options.refused?.get(chunk.id);
      return fillPrompt(prompt, { text: chunk.text, count: options.questionsPerChunk, style, refused });
    },
    read(answer, chunk, options) {
      const parsed = parseAnswer(answer, options.questionsPerChunk);
      const leave = (reason: string, isWrong: (question: string) => boolean) => {
        const left = parsed.questions.filter((question) => !isWrong(question));
        if (left.length < parsed.questions.length) parsed.dropped[reason] = parsed.questions.length - left.length;
        parsed.questions = left;
      };
      leave('one of the examples', (question) => examples.includes(question));
      // A prompt of one's own may want another language than the passage's.
      if (!prompt) leave('in another language', (question) => isInAnotherLanguage(question, chunk.text));
      return parsed;
    },
  };
}

/** @throws Error that names the file, if it cannot be read or holds no query. */
function examplesIn({ exampleFiles = [] }: LlmSettings): string[] {
  return exampleFiles.flatMap((file) => {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => line.trim() || []);
    if (lines.length === 0) throw new Error(`QUESTION_EXAMPLES: ${file} is empty; write queries into it, one a line.`);
    return lines;
  });
}
