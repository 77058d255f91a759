// In: chunks. Out: questions by a language model behind an OpenAI-compatible server.
import { publicUrl, scrub, serverUrl } from '../common/openai';
import { batchFile } from './answer-cache';
import { askMissing } from './ask-missing';
import { examOf } from './exam';
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from './generator';
import { Ledger } from './ledger';
import { type Chat, serverChat } from './llm-client';
import type { LlmSettings } from './llm-settings';

/** Asks a model of OpenAI, or of any server that speaks its API, to set an exam about every chunk. */
export class LlmQuestionGenerator implements QuestionGenerator {
  readonly description: string;
  private readonly connect: () => Chat | Promise<Chat>;

  /**
   * @param local What answers in place of a server, opened when there is something to ask.
   * @throws Error if no model is named, a style or a file of examples is none, the server's address is none, or the key
   *   can be none.
   */
  constructor(
    private readonly settings: LlmSettings,
    local?: { description: string; connect: () => Promise<Chat> },
  ) {
    if (!settings.model) throw new Error('LLM_MODEL is empty; name the model that shall write the questions.');
    // Refused before anything is asked.
    examOf(settings);
    serverUrl(settings);
    const server = `${settings.model} at ${publicUrl(settings.baseURL)}`;
    this.description = local?.description ?? scrub(server, settings.apiKey);
    this.connect = local?.connect ?? (() => serverChat(settings));
  }

  /** Without those that are out in a batch. */
  async missing(chunks: SourceChunk[], options: GenerationOptions): Promise<SourceChunk[]> {
    const ledger = await Ledger.open(this.settings, chunks, options);
    return ledger.missing().map(({ chunk }) => chunk);
  }

  /**
   * Questions for every chunk.
   * @throws Error if chunks are out in batches; else as {@link askMissing}.
   */
  async generate(chunks: SourceChunk[], options: GenerationOptions): Promise<GenerationResult> {
    options.signal?.throwIfAborted();
    const ledger = await Ledger.open(this.settings, chunks, options);
    const twice = ledger.missing({ out: true }).length;
    if (twice > 0)
      throw new Error(
        `${twice} chunk(s) are out in batches, and would be paid for twice: collect them first (askInBatches), or ` +
          `delete ${batchFile(this.settings.cacheDir, options.corpus)} to ask now.`,
      );
    return askMissing(ledger, this.connect, this.settings, options);
  }
}
