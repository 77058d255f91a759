// In: chunks by corpus. Out: where their batches stand at OpenAI's Batch API, which answers within a day at half the
// price; the answers, in the same cache as live ones, from which the questions cell takes them.
import type OpenAI from 'openai';
import { groupsWithin } from '../../common/groups';
import { errorText, scrub } from '../../common/openai';
import { appendAnswer, cacheFile, type HandedIn, readAnswers } from '../../questions/answer-cache';
import type { GenerationOptions, SourceChunk } from '../../questions/generator';
import { openLedger } from '../../questions/ledger';
import type { LlmSettings } from '../../questions/llm-settings';
import { type BatchDesk, BYTES_PER_BATCH, openDesk, REQUESTS_PER_BATCH } from './batch-desk';

/** A batch that was out when the call began, or was handed in by it; a row for a table. */
export type BatchRow = {
  corpus: string;
  /** OpenAI's id. */
  batch: string;
  /**
   * OpenAI's word: `validating`, `in_progress`, `completed`, `failed`, `expired`, …; `unknown` if it has no such batch
   * (any more, or under this key).
   */
  status: string;
  requests: number;
  answered: number;
  failed: number;
  /** What the server says is wrong, if anything. */
  problem?: string;
};

/** What a call did, and what is left. */
export interface BatchReport {
  rows: BatchRow[];
  /** What to do next, in a sentence for the notebook. */
  next: string;
  /** Requests handed in. */
  handedIn: number;
  /** Answers new in the cache. */
  collected: number;
  /** Requests that came back without an answer; the next call hands them in anew, or `generate` asks them. */
  failed: number;
  /** Requests with the server. */
  pending: number;
}

/**
 * Takes the next step with batches: collects those that ended (what came of an expired one too), tells where the others
 * stand, and hands in each chunk that has no answer and is in no batch. Run it again until `next` says that all is
 * there, also on another day or after a restart: nothing is handed in, or paid, twice, whenever the process was killed
 * or the connection broke. Where requests came back without an answer, nothing is handed in until the next call: the
 * problem is read before it is paid for again.
 * @param corpora A corpus' name, such as `train`, as `generate` is told it → its chunks.
 * @throws Error with the server's message, without the key.
 */
export async function askInBatches(
  settings: LlmSettings,
  corpora: Record<string, SourceChunk[]>,
  { questionsPerChunk }: Pick<GenerationOptions, 'questionsPerChunk'>,
): Promise<BatchReport> {
  const report: BatchReport = { rows: [], next: '', handedIn: 0, collected: 0, failed: 0, pending: 0 };
  try {
    for (const [corpus, chunks] of Object.entries(corpora)) {
      const desk = await openDesk(settings, corpus);
      if (await collect(desk, report)) await handIn(desk, chunks, questionsPerChunk, report);
    }
  } catch (error) {
    throw new Error(errorText(error, settings));
  }
  return { ...report, next: nextStep(report) };
}

/** Hands in what has no answer and is in no batch. */
async function handIn(desk: BatchDesk, chunks: SourceChunk[], questionsPerChunk: number, report: BatchReport) {
  const { settings, corpus } = desk;
  const ledger = openLedger(settings, chunks, { questionsPerChunk, corpus });
  const open = ledger.missing();
  const lines = open.map((entry) => {
    const line = { custom_id: entry.key, method: 'POST', url: '/v1/chat/completions', body: ledger.request(entry) };
    return `${JSON.stringify(line)}\n`;
  });
  for (const part of groupsWithin(lines, Buffer.byteLength, REQUESTS_PER_BATCH, BYTES_PER_BATCH)) {
    const requests = Object.fromEntries(open.splice(0, part.length).map(({ key, chunk }) => [key, chunk.id]));
    const { id, status } = await desk.handIn(part, requests);
    report.rows.push({ corpus, batch: id, status, requests: part.length, answered: 0, failed: 0 });
    report.handedIn += part.length;
    report.pending += part.length;
  }
}

/**
 * Tells where the batches stand, and puts the answers of those that ended into the cache. A batch that the server does
 * not know stays noted.
 * @returns whether no request came back without an answer.
 */
async function collect(desk: BatchDesk, report: BatchReport): Promise<boolean> {
  const failedBefore = report.failed;
  for (const handedIn of desk.out()) {
    const { requests, id = '' } = handedIn;
    const asked = Object.keys(requests).length;
    const row: BatchRow = {
      corpus: desk.corpus,
      batch: id,
      status: 'unknown',
      requests: asked,
      answered: 0,
      failed: 0,
    };
    report.rows.push(row);
    const problems = new Set<string>();
    const batch = await desk.find(id);
    if (batch instanceof Error) {
      problems.add(`${batch.message}. If it is gone for good, delete its entry in ${desk.file}.`);
    } else {
      row.status = batch.status;
      row.answered = batch.request_counts?.completed ?? 0;
      row.failed = batch.request_counts?.failed ?? 0;
      for (const { message } of batch.errors?.data ?? []) if (message) problems.add(message);
      if (ENDED.includes(batch.status)) {
        const { answered, collected } = await collectAnswers(desk, handedIn, batch, problems);
        row.answered = answered;
        row.failed = row.requests - answered;
        report.collected += collected;
        report.failed += row.failed;
      }
    }
    if (problems.size > 0) row.problem = scrub([...problems].join('; '), desk.settings.apiKey);
    if (!handedIn.collected) report.pending += row.requests;
  }
  return report.failed === failedBefore;
}

/** Each answer goes into the cache once, also if the process was killed in between; what is wrong, into `problems`. */
async function collectAnswers(desk: BatchDesk, handedIn: HandedIn, batch: OpenAI.Batch, problems: Set<string>) {
  const file = cacheFile(desk.settings.cacheDir, desk.corpus);
  const ofBatch = readAnswers(file).filter((answer) => answer.batch === batch.id);
  const inCache = new Set(ofBatch.map(({ key }) => key));
  const answered = new Set<string>();
  let collected = 0;
  for await (const { key, answer, problem } of desk.answersOf(batch)) {
    if (problem) problems.add(problem);
    const chunk = handedIn.requests[key];
    if (!answer || !chunk) continue;
    answered.add(key);
    if (inCache.has(key)) continue;
    inCache.add(key);
    appendAnswer(file, desk.settings, { key, chunk, batch: batch.id }, answer);
    collected++;
  }
  desk.close(handedIn);
  return { answered: answered.size, collected };
}

const ENDED = ['completed', 'failed', 'expired', 'cancelled'];

function nextStep({ failed, pending }: BatchReport): string {
  const again = [
    ...(failed ? [`${failed} request(s) came back without an answer: run this cell again to hand them in anew.`] : []),
    ...(pending ? [`${pending} request(s) are with the server, for a day at most: run this cell again later.`] : []),
  ];
  return again.join(' ') || 'Every chunk has its answer: go on with the next cell.';
}
