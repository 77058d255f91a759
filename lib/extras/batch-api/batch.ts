// OpenAI's Batch API: chunks are handed in as files, answered within a day at half the price, and collected into the
// same cache as live answers, from which `LlmQuestionGenerator.generate` then takes them.

import { randomUUID } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { scrub } from '../../common/openai';
import type { GenerationOptions, SourceChunk } from '../../questions/generator';
import { cacheRecord, openLedger } from '../../questions/llm-generator';
import type { LlmSettings } from '../../questions/llm-settings';
import { atServer, createBatch } from './batch-desk';
import { packRequests, readLine, requestLine } from './batch-lines';
import type { BatchEntry } from './batch-state';

/** Where a batch stands. */
export interface BatchProgress {
  id: string;
  /** OpenAI's word: `validating`, `in_progress`, `completed`, `failed`, `expired`, …; `unknown` if it has no such batch. */
  status: string;
  total: number;
  completed: number;
  failed: number;
  /** What the server says is wrong, if anything. */
  problem?: string;
}

/** What `collectBatches` brought in. */
export interface CollectedBatches {
  /** Answers new in the cache. */
  collected: number;
  /** Requests that came back without an answer; the next `submitBatches` or `generate` asks them again. */
  failed: number;
  /** Requests still with the server. */
  pending: number;
  /** What went wrong, each message once. */
  problems: string[];
}

/**
 * Hands in every chunk that has no answer yet and is in no batch. Calling it again hands in nothing twice, also after
 * the process was killed or the connection broke.
 * @returns how many requests were handed in, in how many batches.
 * @throws Error with the server's message.
 */
export function submitBatches(
  settings: LlmSettings,
  chunks: SourceChunk[],
  options: GenerationOptions,
): Promise<{ requests: number; batches: number }> {
  return atServer(settings, options.corpus, async ({ openai, state, server }) => {
    const { ledger } = await openLedger(settings, chunks, options);
    const pending = state.pendingKeys();
    const open = ledger.missing().filter(({ key }) => !pending.has(key));
    const parts = packRequests(open.map(({ key, chunk }) => requestLine(settings, key, chunk, options)));
    let from = 0;
    for (const lines of parts) {
      const part = open.slice(from, from + lines.length);
      from += lines.length;
      const requests = Object.fromEntries(part.map(({ key, chunk }) => [key, chunk.id]));
      const entry: BatchEntry = { marker: randomUUID(), server, requests, collected: false };
      const upload = await toFile(Buffer.from(lines.join('')), 'questions.jsonl');
      const file = await openai.files.create({ file: upload, purpose: 'batch' });
      state.entries.push(entry);
      // Noted first: should the process die on the way, the marker finds the batch again.
      await state.save();
      entry.id = await createBatch(openai, file.id, entry.marker);
      await state.save();
    }
    return { requests: open.length, batches: parts.length };
  });
}

/** Where the batches stand that are not collected yet. */
export function pollBatches(settings: LlmSettings, corpus?: string): Promise<BatchProgress[]> {
  return atServer(settings, corpus, ({ openai, state, server }) =>
    Promise.all(
      state.outAt(server).map(async ({ id, requests }) => {
        try {
          return progressOf(await openai.batches.retrieve(id!));
        } catch (error) {
          if (!(error instanceof OpenAI.NotFoundError)) throw error;
          const total = Object.keys(requests).length;
          return { id: id!, status: 'unknown', total, completed: 0, failed: 0, problem: error.message };
        }
      }),
    ),
  );
}

/**
 * Puts the answers of all ended batches into the cache; those of a batch that expired or was cancelled half-way too.
 * Each answer is collected once, also if the process is killed in between. A batch that the server does not know (any
 * more, or under this key) stays noted, and is named among the problems.
 */
export function collectBatches(settings: LlmSettings, corpus?: string): Promise<CollectedBatches> {
  return atServer(settings, corpus, async ({ openai, state, server }) => {
    const { cache } = await openLedger(settings, [], { questionsPerChunk: 1, corpus });
    const inCache = new Set<string>();
    await cache.read(({ batch, key }) => {
      if (batch) inCache.add(`${batch} ${key}`);
    });
    const result = { collected: 0, failed: 0, pending: 0 };
    const problems = new Set<string>();
    for (const entry of state.outAt(server)) {
      const asked = Object.keys(entry.requests).length;
      try {
        const batch = await openai.batches.retrieve(entry.id!);
        const { problem, status } = progressOf(batch);
        if (problem) problems.add(problem);
        if (!ENDED.includes(status)) {
          result.pending += asked;
          continue;
        }
        const answered = new Set<string>();
        for await (const { key, answer, problem: lost } of linesOf(openai, batch)) {
          if (lost) problems.add(lost);
          if (!answer || !entry.requests[key] || answered.has(key)) continue;
          answered.add(key);
          if (inCache.has(`${batch.id} ${key}`)) continue;
          const record = cacheRecord(settings, key, { id: entry.requests[key] }, answer);
          await cache.append({ ...record, batch: batch.id });
          result.collected++;
        }
        result.failed += asked - answered.size;
        entry.collected = true;
        await state.save();
      } catch (error) {
        if (!(error instanceof OpenAI.NotFoundError)) throw error;
        result.pending += asked;
        problems.add(`${entry.id}: ${error.message}. If it is gone for good, delete its entry in ${state.file}.`);
      }
    }
    return { ...result, problems: [...problems].map((problem) => scrub(problem, settings.apiKey)) };
  });
}

const ENDED = ['completed', 'failed', 'expired', 'cancelled'];

async function* linesOf(openai: OpenAI, batch: OpenAI.Batch): AsyncGenerator<ReturnType<typeof readLine>> {
  for (const fileId of [batch.output_file_id, batch.error_file_id]) {
    if (!fileId) continue;
    const text = await (await openai.files.content(fileId)).text();
    for (const line of text.split('\n').filter(Boolean)) yield readLine(line);
  }
}

function progressOf({ id, status, request_counts: counts, errors }: OpenAI.Batch): BatchProgress {
  const { total = 0, completed = 0, failed = 0 } = counts ?? {};
  const problem = errors?.data?.[0]?.message;
  return { id, status, total, completed, failed, ...(problem ? { problem } : {}) };
}
