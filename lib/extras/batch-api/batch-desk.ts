// In: settings and a corpus. Out: the server, and the batches that the corpus has there, each known by its id; and more
// of them, none ordered twice.
import { randomUUID } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { writeJson } from '../../common/files';
import { errorText, publicUrl } from '../../common/openai';
import { openAIClient } from '../../common/openai-client';
import { batchFile, type HandedIn, type LlmAnswer, readBatches } from '../../questions/answer-cache';
import { readCompletion } from '../../questions/llm-client';
import type { LlmSettings } from '../../questions/llm-settings';

/** OpenAI's limits for one batch, the size with room to spare. */
export const REQUESTS_PER_BATCH = 50_000;
export const BYTES_PER_BATCH = 150 * 2 ** 20;

/** What came back of one request: its answer, or why there is none. */
type Outcome = { key: string; answer?: LlmAnswer; problem?: string };

/** The desk of one corpus at one server. */
export type BatchDesk = Awaited<ReturnType<typeof openDesk>>;

/** @throws Error if the server can't be had, or the file of batches can't be read. */
export async function openDesk(settings: LlmSettings, corpus: string) {
  const file = batchFile(settings.cacheDir, corpus);
  const openai = openAIClient(settings, { maxRetries: 5 });
  const server = publicUrl(settings.baseURL);
  /** All of the corpus, those of other servers too. */
  const batches = readBatches(file);
  const save = () => writeJson(file, batches);
  /** The batches of this server whose answers are not in the cache yet. */
  const out = () => batches.filter((batch) => batch.server === server && !batch.collected);

  // Batches whose id was never noted are looked for at their server, and forgotten if not there.
  const lost = new Map(out().flatMap((batch) => (batch.id ? [] : [[batch.marker, batch]])));
  if (lost.size > 0) {
    for await (const { id, metadata } of openai.batches.list()) {
      const marker = metadata?.marker ?? '';
      if (lost.has(marker)) lost.get(marker)!.id = id;
      lost.delete(marker);
      if (lost.size === 0) break;
    }
    for (const batch of lost.values()) batches.splice(batches.indexOf(batch), 1);
    save();
  }

  return {
    settings,
    corpus,
    /** Where the batches are noted. */
    file,
    out,

    /** The batch as the server has it, or the server's word that it has none. */
    find: (id: string): Promise<OpenAI.Batch | Error> =>
      openai.batches.retrieve(id).catch((error) => {
        if (error instanceof OpenAI.NotFoundError) return error;
        throw error;
      }),

    /** What came of a batch's requests, from its output and error files. */
    async *answersOf({ output_file_id, error_file_id }: OpenAI.Batch): AsyncGenerator<Outcome> {
      for (const id of [output_file_id, error_file_id]) {
        const text = id ? await (await openai.files.content(id)).text() : '';
        for (const line of text.split('\n').filter(Boolean)) yield readLine(line);
      }
    },

    /** Notes that a batch's answers are in the cache. */
    close(batch: HandedIn): void {
      batch.collected = true;
      save();
    },

    /**
     * Orders a batch.
     * @param lines The batch's input, JSONL.
     * @param requests Request key → chunk id.
     */
    async handIn(lines: string[], requests: Record<string, string>): Promise<OpenAI.Batch> {
      const batch: HandedIn = { marker: randomUUID(), server, requests, collected: false };
      const upload = await toFile(Buffer.from(lines.join('')), 'questions.jsonl');
      const { id: input_file_id } = await openai.files.create({ file: upload, purpose: 'batch' });
      batches.push(batch);
      // Noted first: should the process die on the way, the marker finds the batch again.
      save();
      const metadata = { marker: batch.marker };
      const order = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h', metadata } as const;
      // No second try by the client: if only the answer was lost, it would order, and pay, twice.
      const ordered = await openai.batches.create(order, { maxRetries: 0 }).catch((error) => {
        throw new Error(`${errorText(error)} If the batch arrived all the same, the next call finds it: run it again.`);
      });
      batch.id = ordered.id;
      save();
      return ordered;
    },
  };
}

function readLine(line: string): Outcome {
  try {
    const { custom_id: key, response, error } = JSON.parse(line);
    if (response?.status_code === 200) return { key, answer: readCompletion(response.body) };
    return { key, problem: error?.message ?? response?.body?.error?.message ?? 'no reason given' };
  } catch (error) {
    return { key: '', problem: `a line of the output cannot be read: ${(error as Error).message}` };
  }
}
