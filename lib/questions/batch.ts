// OpenAI's Batch API: chunks are handed in as files, answered within a day at half the price, and collected into the
// same cache as live answers, from which `LlmQuestionGenerator.generate` then takes them.

import { randomUUID } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { packRequests, readLine, requestLine } from './batch-lines';
import { BatchState } from './batch-state';
import type { GenerationOptions, SourceChunk } from './generator';
import { cacheRecord, openLedger } from './llm-generator';
import { cacheFile, type LlmSettings, scrub, serverUrl } from './llm-settings';

/** Where a batch stands. */
export interface BatchProgress {
  id: string;
  /** OpenAI's word: `validating`, `in_progress`, `completed`, `failed`, `expired`, `cancelled`, … */
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
 * the process was killed.
 * @returns how many requests were handed in, in how many batches.
 * @throws Error with the server's message.
 */
export function submitBatches(
  settings: LlmSettings,
  chunks: SourceChunk[],
  options: GenerationOptions,
): Promise<{ requests: number; batches: number }> {
  return withoutKey(settings, async () => {
    const openai = connect(settings);
    const state = await openState(settings, options.corpus, openai);
    const { ledger } = await openLedger(settings, chunks, options);
    const pending = state.pendingKeys();
    const open = ledger.missing().filter(({ key }) => !pending.has(key));
    const parts = packRequests(open.map(({ key, chunk }) => requestLine(settings, key, chunk, options)));
    let from = 0;
    for (const lines of parts) {
      const part = open.slice(from, from + lines.length);
      from += lines.length;
      const requests = Object.fromEntries(part.map(({ key, chunk }) => [key, chunk.id]));
      const entry = { marker: randomUUID(), id: undefined as string | undefined, requests, collected: false };
      const upload = await toFile(Buffer.from(lines.join('')), 'questions.jsonl');
      const file = await openai.files.create({ file: upload, purpose: 'batch' });
      state.entries.push(entry);
      // Noted first: should the process die on the way, the marker finds the batch again.
      await state.save();
      const batch = await openai.batches.create({
        input_file_id: file.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
        metadata: { marker: entry.marker },
      });
      entry.id = batch.id;
      await state.save();
    }
    return { requests: open.length, batches: parts.length };
  });
}

/** Where the batches stand that are not collected yet. */
export function pollBatches(settings: LlmSettings, corpus?: string): Promise<BatchProgress[]> {
  return withoutKey(settings, async () => {
    const openai = connect(settings);
    const state = await openState(settings, corpus, openai);
    const open = state.entries.filter((entry) => !entry.collected);
    return Promise.all(open.map(async ({ id }) => progressOf(await openai.batches.retrieve(id!))));
  });
}

/**
 * Puts the answers of all ended batches into the cache; those of a batch that expired or was cancelled half-way too.
 * Each answer is collected once, also if the process is killed in between.
 */
export function collectBatches(settings: LlmSettings, corpus?: string): Promise<CollectedBatches> {
  return withoutKey(settings, async () => {
    const openai = connect(settings);
    const state = await openState(settings, corpus, openai);
    const { cache } = await openLedger(settings, [], { questionsPerChunk: 1, corpus });
    const inCache = new Set<string>();
    await cache.read(({ batch, key }) => {
      if (batch) inCache.add(`${batch} ${key}`);
    });
    const result = { collected: 0, failed: 0, pending: 0 };
    const problems = new Set<string>();
    for (const entry of state.entries.filter((one) => !one.collected)) {
      const batch = await openai.batches.retrieve(entry.id!);
      const { problem, status } = progressOf(batch);
      if (problem) problems.add(problem);
      const asked = Object.keys(entry.requests).length;
      if (!['completed', 'failed', 'expired', 'cancelled'].includes(status)) {
        result.pending += asked;
        continue;
      }
      const answered = new Set<string>();
      for (const fileId of [batch.output_file_id, batch.error_file_id]) {
        if (!fileId) continue;
        const text = await (await openai.files.content(fileId)).text();
        for (const line of text.split('\n').filter(Boolean)) {
          const { key, answer, problem: lost } = readLine(line);
          if (lost) problems.add(lost);
          if (!answer || !entry.requests[key] || answered.has(key)) continue;
          answered.add(key);
          if (inCache.has(`${batch.id} ${key}`)) continue;
          const record = cacheRecord(settings, key, { id: entry.requests[key] }, answer);
          await cache.append({ ...record, batch: batch.id });
          result.collected++;
        }
      }
      result.failed += asked - answered.size;
      entry.collected = true;
      await state.save();
    }
    return { ...result, problems: [...problems].map((problem) => scrub(problem, settings.apiKey)) };
  });
}

function connect(settings: LlmSettings): OpenAI {
  return new OpenAI({ apiKey: settings.apiKey || 'none', baseURL: serverUrl(settings), maxRetries: 5 });
}

/** The corpus' batches; those whose id was never noted are looked for at the server, and forgotten if not there. */
async function openState(settings: LlmSettings, corpus = 'corpus', openai: OpenAI): Promise<BatchState> {
  const state = await BatchState.open(cacheFile(settings.cacheDir, corpus).replace(/\.jsonl$/, '.batches.json'));
  if (state.entries.every((entry) => entry.id)) return state;
  for await (const batch of openai.batches.list()) {
    const entry = state.entries.find(({ marker }) => marker === batch.metadata?.marker);
    if (entry) entry.id = batch.id;
    if (state.entries.every(({ id }) => id)) break;
  }
  const found = state.entries.filter((entry) => entry.id);
  state.entries.splice(0, state.entries.length, ...found);
  await state.save();
  return state;
}

function progressOf({ id, status, request_counts: counts, errors }: OpenAI.Batch): BatchProgress {
  const { total = 0, completed = 0, failed = 0 } = counts ?? {};
  const problem = errors?.data?.[0]?.message;
  return { id, status, total, completed, failed, ...(problem ? { problem } : {}) };
}

async function withoutKey<T>(settings: LlmSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(scrub(error instanceof Error ? error.message : String(error), settings.apiKey));
  }
}
