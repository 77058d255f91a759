// In: chunks. Out: questions a reader would ask about them, made without any model: the corpus is read once for its
// words and their weights, each chunk's sentences are turned into questions, and the most telling ones are kept.
import { setImmediate } from 'node:timers/promises';
import { languageOf } from '../../common/text/language';
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from '../generator';
import { candidatesFor, readCorpus, selectQuestions } from './candidates';

/** The question generator for users with neither an API key nor an LLM server: equal chunks, equal questions. */
export function createOfflineGenerator(): QuestionGenerator {
  return {
    description: 'offline: questions made from salient sentences by rules, no language model',
    generate,
  };
}

async function generate(chunks: SourceChunk[], options: GenerationOptions): Promise<GenerationResult> {
  const { questionsPerChunk, onProgress, signal } = options;
  if (!Number.isInteger(questionsPerChunk) || questionsPerChunk < 1)
    throw new Error(`questionsPerChunk is ${questionsPerChunk}: it must be a whole number, 1 or more`);
  if (chunks.length > 0 && !chunks.some(({ text }) => languageOf(text) === 'English'))
    throw new Error(
      `Offline questions are in English only, and none of the ${chunks.length} chunk(s) is in English. Have a ` +
        'language model ask: set OPENAI_API_KEY or OPENAI_BASE_URL, or take QUESTION_GENERATOR=local.',
    );
  const corpus = readCorpus(chunks);
  const questions = new Map<string, string[]>();
  const asked = new Set<string>();
  const dropped: Record<string, number> = {};
  const drop = (reason: string): [] => {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
    return [];
  };
  const summary = { asked: chunks.length, answered: 0, empty: 0, underFilled: 0, unparsable: 0, failed: 0, dropped };
  for (const [at, { id, text }] of chunks.entries()) {
    signal?.throwIfAborted();
    const isEnglish = languageOf(text) === 'English';
    const candidates = isEnglish ? candidatesFor(at, corpus, drop) : drop('chunk is not in English');
    const fresh = candidates.flatMap((candidate) =>
      asked.has(candidate.text.toLowerCase()) ? drop('asked about another chunk') : candidate,
    );
    const chosen = selectQuestions(fresh, questionsPerChunk);
    for (const question of chosen) asked.add(question.toLowerCase());
    questions.set(id, chosen);
    summary[chosen.length > 0 ? 'answered' : 'empty']++;
    if (chosen.length > 0 && chosen.length < questionsPerChunk) summary.underFilled++;
    onProgress?.({ done: at + 1, failed: 0, total: chunks.length });
    if (at % 10 === 9) await setImmediate();
  }
  return { questions, summary };
}
