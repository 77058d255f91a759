// Settings go in; the server, and the batches that a corpus has there, come out: each known by its id, none ordered twice.

import OpenAI from 'openai';
import { publicUrl, scrub, serverUrl } from '../../common/openai';
import { batchFile, type LlmSettings } from '../../questions/llm-settings';
import { BatchState } from './batch-state';

/** What a call works with: the server, its address, and the corpus' batches, each known by its id. */
interface Desk {
  openai: OpenAI;
  server: string;
  state: BatchState;
}

/** Runs `work`; its errors come without the key. */
export async function atServer<T>(
  settings: LlmSettings,
  corpus: string | undefined,
  work: (desk: Desk) => Promise<T>,
): Promise<T> {
  try {
    const apiKey = settings.apiKey || 'none';
    const openai = new OpenAI({ apiKey, baseURL: serverUrl(settings), maxRetries: 5 });
    const server = publicUrl(settings.baseURL);
    const state = await BatchState.open(batchFile(settings.cacheDir, corpus ?? 'corpus'));
    await findLost(state, openai, server);
    return await work({ openai, server, state });
  } catch (error) {
    throw new Error(scrub(error instanceof Error ? error.message : String(error), settings.apiKey));
  }
}

/** Batches whose id was never noted are looked for at their server, and forgotten if not there. */
async function findLost(state: BatchState, openai: OpenAI, server: string): Promise<void> {
  const lost = new Set(state.outAt(server).filter((entry) => !entry.id));
  if (lost.size === 0) return;
  for await (const batch of openai.batches.list()) {
    const entry = [...lost].find(({ marker }) => marker === batch.metadata?.marker);
    if (!entry) continue;
    entry.id = batch.id;
    lost.delete(entry);
    if (lost.size === 0) break;
  }
  state.drop([...lost]);
  await state.save();
}

/**
 * Orders a batch.
 * @returns its id.
 */
export async function createBatch(openai: OpenAI, fileId: string, marker: string): Promise<string> {
  const order = {
    input_file_id: fileId,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { marker },
  } as const;
  try {
    // No second try by the client: if only the answer was lost, it would order, and pay, twice.
    return (await openai.batches.create(order, { maxRetries: 0 })).id;
  } catch (error) {
    const hint = 'If the batch arrived all the same, the next call finds it: run it again.';
    throw new Error(`${error instanceof Error ? error.message : String(error)} ${hint}`);
  }
}
