// In: a question generator and chunks. Out: questions, with progress, cost and account; datasets to measure with.

import { withLock } from '../common/lock';
import { buildDataset, type EmbeddingDataset } from '../dataset/dataset';
import { buildGoldenDataset, type GoldenQuestion } from '../dataset/golden';
import { estimateCost } from '../questions/cost';
import { filterQuestions } from '../questions/filters';
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from '../questions/generator';
import type { TokenPrice } from '../questions/llm-settings';
import { stoppable } from './cells';
import { shorten } from './escape';
import { progressBar } from './progress';
import { table } from './table';
import { note } from './text';

/**
 * Asks for questions about every chunk, with a progress bar that says what failed and what it has cost so far.
 * Jupyter's stop button ends it; a language model's answers so far are on disk.
 *
 * @param options with `dataDir`, no other process may ask or write a dataset there meanwhile
 * @throws Error as the generator does, and as `withLock`
 */
export function askWithProgress(
  title: string,
  generator: QuestionGenerator,
  chunks: SourceChunk[],
  { dataDir, ...options }: Omit<GenerationOptions, 'onProgress' | 'signal'> & { dataDir?: string },
): Promise<GenerationResult> {
  const bar = progressBar(title, chunks.length);
  const onProgress: GenerationOptions['onProgress'] = ({ done, total, failed, costSoFar }) => {
    const remarks = [failed && `${failed} failed`, costSoFar && `$${costSoFar.toFixed(3)} so far`];
    bar.update(done, total, remarks.filter(Boolean).join(', '));
  };
  const ask = () => stoppable((signal) => generator.generate(chunks, { ...options, signal, onProgress }));
  return dataDir === undefined ? ask() : withLock(dataDir, ask);
}

/**
 * Shows what asking will take: calls, tokens and, at a price, US dollars. Answers that are on disk cost nothing.
 * @param corpora a corpus' name, such as `train`, as the generator is told it → its chunks
 */
export async function showCost(
  generator: QuestionGenerator,
  corpora: Record<string, SourceChunk[]>,
  { questionsPerChunk, price }: { questionsPerChunk: number; price: TokenPrice },
): Promise<void> {
  if (!generator.missing) return note('Offline questions cost nothing.');
  const missing: SourceChunk[] = [];
  for (const [corpus, chunks] of Object.entries(corpora))
    missing.push(...(await generator.missing(chunks, { questionsPerChunk, corpus })));
  const { calls, inputTokens, outputTokens, dollars = 0 } = estimateCost(missing, { questionsPerChunk, price });
  note(`${calls} of ${Object.values(corpora).flat().length} chunks are still to be asked about.`);
  const cost = `$${dollars.toFixed(2)} at LLM_PRICE (nothing on a server of your own)`;
  note(`Some ${inputTokens} tokens in and ${outputTokens} out: ${cost}.`);
}

/** Shows what became of every chunk and question: answered or not, kept or dropped and why, and who has none. */
export function showAccount(chunks: SourceChunk[], result: GenerationResult): void {
  const { asked, answered, underFilled, empty, unparsable, failed, dropped, problems } = result.summary;
  const kept = [...result.questions.values()].flat().length;
  const outcomes = { asked, answered, 'too few': underFilled, empty, unparsable, failed };
  table([{ chunks: chunks.length, ...outcomes, 'questions kept': kept }]);
  for (const [why, count] of Object.entries(problems ?? {})) note(`${count} failed: ${why}`);
  const droppedRows = Object.entries(dropped).map(([why, count]) => ({ why, questions: count }));
  if (droppedRows.length > 0) table(droppedRows, { caption: 'Dropped questions' });
  const without = chunks.filter(({ id }) => result.summary.chunksWithoutQuestions.includes(id));
  const rows = without.map(({ file, page, text }) => ({ file, page, text: shorten(text, 80) }));
  if (rows.length > 0) table(rows, { caption: 'Chunks without questions' });
  else note('No chunk is without questions.');
}

/**
 * A dataset to measure with: of golden questions where people wrote some, else of generated ones. Shows the first
 * golden questions with their evidence, and those whose evidence no chunk holds; or the account of those generated.
 *
 * @param ask generates questions about the chunks
 */
export async function datasetToMeasure(
  chunks: SourceChunk[],
  golden: GoldenQuestion[],
  ask: () => Promise<GenerationResult>,
): Promise<EmbeddingDataset> {
  if (golden.length === 0) {
    note('There are no golden questions beside these documents: questions are generated.');
    const { result } = filterQuestions(await ask());
    showAccount(chunks, result);
    return buildDataset(chunks, result.questions);
  }
  const { dataset, unmatched } = buildGoldenDataset(chunks, golden);
  for (const { question } of unmatched) note(`No chunk holds the evidence of: ${question}`);
  const rows = golden.map(({ question, evidence, type }) => ({
    question,
    evidence: [evidence].flat().join(' … '),
    type,
  }));
  table(rows.slice(0, 6), { caption: `Golden questions and their evidence, the first of ${golden.length}` });
  return dataset;
}
