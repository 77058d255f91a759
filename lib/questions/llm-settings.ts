// In: nothing. Out: the settings of an LLM generator, and what it can be told to do.
import type { OpenAIServer } from '../common/openai';
import type { Patience } from '../common/patient-calls';
import type { GenerationOptions, QuestionStyle, SourceChunk } from './generator';
import type { ParsedAnswer } from './parse-answer';

/** US dollars per million tokens, from the provider's price list. */
export interface TokenPrice {
  inputPerMillion: number;
  outputPerMillion: number;
}

/** Of {@link Patience}, `concurrency` is 4 by default, and `timeoutSeconds` 180. */
export interface LlmSettings extends OpenAIServer, Patience {
  /** The model's name, as the server knows it. */
  model: string;
  /** Folder of the answer cache; one JSONL file a corpus. */
  cacheDir: string;
  /** How to ask, each chunk in one of these styles; all of `QUESTION_STYLES` by default. */
  styles?: string[];
  /** Files with queries of the reader's own, one a line, to be imitated instead of the styles. */
  exampleFiles?: string[];
  /** Something else to ask than exam questions. */
  task?: Task;
  /** For costs in progress and estimates; none by default. */
  price?: TokenPrice;
}

/** What a model is asked about a chunk, and how its answer is read. */
export interface Task {
  message(chunk: SourceChunk, options: GenerationOptions): string;
  /** `response_format` of structured output. */
  format: { type: 'json_schema'; json_schema: { name: string; strict: boolean; schema: Record<string, unknown> } };
  read(answer: string, chunk: SourceChunk, options: GenerationOptions): ParsedAnswer;
  /** How a chunk's questions are asked, where that is told. */
  style?(chunk: SourceChunk, options: GenerationOptions): QuestionStyle;
}
