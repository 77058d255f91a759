// In: chunks. Out: questions by a language model behind an OpenAI-compatible server.
import { publicUrl, scrub, serverUrl } from '../common/openai';
import { answerKey } from './answer-cache';
import { type Ask, askMissing } from './ask-missing';
import { keysOut, readBatches } from './batches-out';
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from './generator';
import { type Entry, Ledger } from './ledger';
import { type ChatRequest, LlmClient } from './llm-client';
import { batchFile, type LlmSettings } from './llm-settings';
import { fillPrompt, QUESTIONS_FORMAT } from './prompt';

/** A model that draws its words may do better at the next try. */
const ANSWERS_PER_CHUNK = 5;
/** Words that differ from try to try, and still make sense. */
const TEMPERATURE = 0.7;
/** Room for a question, in any language, and for the JSON around all of them: a model that rambles ends there. */
const TOKENS_PER_QUESTION = 100;
const TOKENS_AROUND = 100;

/** Asks a model of OpenAI, or of any server that speaks its API, to set an exam about every chunk. */
export class LlmQuestionGenerator implements QuestionGenerator {
  readonly description: string;

  /** @throws Error if no model is named, the server's address is none, or the key can be none. */
  constructor(private readonly settings: LlmSettings) {
    if (!settings.model) throw new Error('LLM_MODEL is empty; name the model that shall write the questions.');
    // Refused before anything is read or asked.
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
    const client = new LlmClient(this.settings);
    const ask: Ask = (entry, callOptions) =>
      client.ask(chatRequest(this.settings, entry, options), { key: entry.key, ...callOptions });
    return askMissing(ledger, { ask, concurrency, price }, options);
  }
}

/** The request for one chunk; the same for live calls and batches. */
export function chatRequest(
  { model, prompt, temperature = TEMPERATURE }: LlmSettings,
  { chunk, answers }: Entry,
  { questionsPerChunk }: GenerationOptions,
): ChatRequest {
  return {
    model,
    messages: [{ role: 'user', content: fillPrompt(prompt, chunk, questionsPerChunk) }],
    temperature,
    // Another one for each try, or a server that draws by it would say the same again.
    seed: answers,
    max_tokens: questionsPerChunk * TOKENS_PER_QUESTION + TOKENS_AROUND,
    response_format: QUESTIONS_FORMAT,
  };
}

/** What is known about every chunk, from the corpus' cache; the same for live calls and batches. */
export function openLlmLedger(
  settings: LlmSettings,
  chunks: SourceChunk[],
  options: GenerationOptions,
): Promise<Ledger> {
  const { questionsPerChunk } = options;
  // What is asked, of whom, and how.
  const keyOf = (chunk: SourceChunk) =>
    answerKey({
      message: fillPrompt(settings.prompt, chunk, questionsPerChunk),
      questionsPerChunk,
      model: settings.model,
      server: publicUrl(settings.baseURL),
      temperature: settings.temperature ?? TEMPERATURE,
    });
  return Ledger.open(settings, chunks, options, keyOf, ANSWERS_PER_CHUNK);
}
