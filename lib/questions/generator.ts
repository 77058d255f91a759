// In: chunks. Out: questions for each chunk, and an honest account; what every question generator takes and gives.
import type { Chunk } from '../corpus/chunk';

/**
 * How people ask: in a full sentence, by a few words, with a claim to check, in other words than the text's; `own` is
 * the way of the reader's own queries.
 */
export type QuestionStyle = 'question' | 'keywords' | 'claim' | 'paraphrase' | 'own';

/** A chunk that questions are asked about, and where it stands, if that is known; ids are unique within a corpus. */
export type SourceChunk = Pick<Chunk, 'id' | 'text'> & Partial<Pick<Chunk, 'file' | 'page'>>;

/** Where a run stands, told after every chunk. */
export interface GenerationProgress {
  /** Chunks finished, failed ones included. */
  done: number;
  /** Chunks given up on. */
  failed: number;
  total: number;
  /** US dollars paid so far in this run; undefined where nothing is paid or no price is known. */
  costSoFar?: number;
  /** Why it waits, tries again, or asks fewer at once; absent where nothing is in the way. */
  waiting?: string;
}

/** The account of a run: every chunk and every lost question is in one of these numbers. */
export interface GenerationSummary {
  /** Chunks sent to the model in this run; those answered by an earlier run are not asked again. */
  asked: number;
  /** Chunks with an answer, from this run or an earlier one. */
  answered: number;
  /** Chunks whose answer was empty: nothing came, or a list of no questions. */
  empty: number;
  /** Chunks with at least one question, but fewer than asked for. */
  underFilled: number;
  /** Chunks whose answer held text but no question that could be read. */
  unparsable: number;
  /** Chunks without any answer after all retries. */
  failed: number;
  /** Why chunks failed: what the server said → chunks; absent if none did. */
  problems?: Record<string, number>;
  /** Questions dropped, by reason (`repeated in the chunk`, `names the context`, …). */
  dropped: Record<string, number>;
}

export interface GenerationResult {
  /** Chunk id → its questions, in corpus order; chunks without questions have an empty list. */
  questions: Map<string, string[]>;
  summary: GenerationSummary;
  /** Chunk id → how its questions were to be asked, where the generator was told a style. */
  styles?: Map<string, QuestionStyle>;
}

export interface GenerationOptions {
  /** How many questions to ask about each chunk; 1 or more. */
  questionsPerChunk: number;
  /** The corpus' name, such as `train`: a generator that keeps its answers on disk keeps one file for each. */
  corpus?: string;
  /** Chunk id → questions that were dropped: the chunk is asked about once more, in other words. */
  refused?: Map<string, string[]>;
  onProgress?: (progress: GenerationProgress) => void;
  /** Stops the run: `generate` rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Whatever turns chunks into questions: an LLM behind an API, a rule-based reader, … */
export interface QuestionGenerator {
  /** One line for the notebook: which generator, which model, where. */
  readonly description: string;
  /** The chunks that `generate` would send to a model, since no answer is on disk; absent where none is asked. */
  missing?(chunks: SourceChunk[], options: GenerationOptions): Promise<SourceChunk[]>;
  /** Questions for every chunk. */
  generate(chunks: SourceChunk[], options: GenerationOptions): Promise<GenerationResult>;
}
