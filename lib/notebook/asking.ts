// In: a question generator and chunks. Out: questions, with progress, cost and account; datasets to measure with.
import { withLock } from '../common/lock';
import { buildDataset, type EmbeddingDataset } from '../dataset/dataset';
import { buildGoldenDataset, type GoldenQuestion } from '../dataset/golden';
import type { createQuestionGate, GatedQuestions } from '../evaluate/question-gate';
import { estimateCost } from '../questions/cost';
import type { GenerationOptions, GenerationResult, QuestionGenerator, SourceChunk } from '../questions/generator';
import type { TokenPrice } from '../questions/llm-settings';
import { stoppable } from './cells';
import { shorten } from './escape';
import { note } from './output';
import { progressBar } from './progress';
import { table } from './table';

/** Generates with a progress bar that says what failed, what it has cost so far, and why it waits. */
export function generateWithBar(
  title: string,
  generator: QuestionGenerator,
  chunks: SourceChunk[],
  options: Omit<GenerationOptions, 'onProgress'>,
): Promise<GenerationResult> {
  const bar = progressBar(title, chunks.length);
  const onProgress: GenerationOptions['onProgress'] = ({ done, total, failed, costSoFar, waiting }) => {
    const remarks = [failed && `${failed} failed`, costSoFar && `$${costSoFar.toFixed(3)} so far`, waiting];
    bar.update(done, total, remarks.filter(Boolean).join(', '));
  };
  return generator.generate(chunks, { ...options, onProgress });
}

/**
 * Asks for questions about every chunk, with a progress bar that says what failed, what it has cost so far, and why it
 * waits; and drops what the gate finds not worth training on. A chunk left without is asked about once more, in other
 * words, where a language model asks. Jupyter's stop button ends it; a model's answers so far are on disk.
 *
 * @param gate as `createQuestionGate` makes it
 * @param options with `dataDir`, no other process may ask or write a dataset there meanwhile
 * @throws Error as the generator does, and as `withLock`
 */
export function askWithProgress(
  title: string,
  generator: QuestionGenerator,
  chunks: SourceChunk[],
  { dataDir, ...options }: Omit<GenerationOptions, 'onProgress' | 'signal' | 'refused'> & { dataDir?: string },
  gate: ReturnType<typeof createQuestionGate>,
): Promise<GatedQuestions> {
  const askAll = async (signal: AbortSignal): Promise<GatedQuestions> => {
    const first = await gate(await generateWithBar(title, generator, chunks, { ...options, signal }));
    const lost = new Map<string, string[]>();
    for (const { chunkId, question } of first.dropped) lost.set(chunkId, [...(lost.get(chunkId) ?? []), question]);
    const without = chunks.filter(({ id }) => lost.has(id) && first.questions.get(id)?.length === 0);
    if (!generator.missing || without.length === 0) return first;
    const heading = `${title}, once more where none was left`;
    const again = await generateWithBar(heading, generator, without, { ...options, signal, refused: lost });
    const questions = new Map(first.questions);
    // Last in order, so that none of them takes the place of one that was kept.
    for (const [id, list] of again.questions) questions.delete(id) && questions.set(id, list);
    const second = await gate({
      questions,
      summary: { ...first.summary, asked: first.summary.asked + again.summary.asked },
      styles: new Map([...(first.styles ?? []), ...(again.styles ?? [])]),
    });
    return { ...second, dropped: [...first.dropped, ...second.dropped], roundTrip: first.roundTrip };
  };
  const work = () => stoppable(askAll);
  return dataDir === undefined ? work() : withLock(dataDir, work);
}

/**
 * Shows what asking will take: calls, tokens and, at a price, US dollars. Answers that are on disk cost nothing.
 * @param corpora a corpus' name, such as `train`, as the generator is told it → its chunks
 */
export async function showCost(
  generator: QuestionGenerator,
  corpora: Record<string, SourceChunk[]>,
  { questionsPerChunk, price }: { questionsPerChunk: number; price?: TokenPrice },
): Promise<void> {
  if (!generator.missing) return note('Offline questions cost nothing.');
  const missing: SourceChunk[] = [];
  for (const [corpus, chunks] of Object.entries(corpora))
    missing.push(...(await generator.missing(chunks, { questionsPerChunk, corpus })));
  const { calls, inputTokens, outputTokens, dollars } = estimateCost(missing, { questionsPerChunk, price });
  note(`${calls} of ${Object.values(corpora).flat().length} chunks are still to be asked about.`);
  const cost = dollars === undefined ? 'LLM_PRICE says no price' : `$${dollars.toFixed(2)} at LLM_PRICE`;
  note(`Some ${inputTokens} tokens in and ${outputTokens} out: ${cost}.`);
}

/** Shows what became of every chunk and question: answered or not, kept or dropped and why, and who has none. */
export function showAccount(chunks: SourceChunk[], result: GatedQuestions): void {
  const { asked, answered, underFilled, empty, unparsable, failed, dropped, problems } = result.summary;
  const kept = [...result.questions.values()].flat().length;
  const outcomes = { asked, answered, 'too few': underFilled, empty, unparsable, failed };
  table([{ chunks: chunks.length, ...outcomes, 'questions kept': kept }]);
  for (const [why, count] of Object.entries(problems ?? {})) note(`${count} failed: ${why}`);
  const examplesOf = (why: string) => {
    const some = result.dropped.filter(({ reason }) => reason === why).slice(0, 3);
    return some.map(({ question, detail }) => `${shorten(question, 90)} (${shorten(detail, 50)})`).join(' · ');
  };
  const counts = Object.entries(dropped);
  const droppedRows = counts.map(([why, questions]) => ({ why, questions, 'such as': examplesOf(why) }));
  if (droppedRows.length > 0) table(droppedRows, { caption: 'Dropped questions' });
  const without = chunks.filter(({ id }) => !result.questions.get(id)?.length);
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
  ask: () => Promise<GatedQuestions>,
): Promise<EmbeddingDataset> {
  if (golden.length === 0) {
    note('There are no golden questions beside these documents: questions are generated.');
    const result = await ask();
    showAccount(chunks, result);
    return buildDataset(chunks, result.questions, result.styles);
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
