// In: requests. Out: the lines and files of a batch's input; and from lines of its output, answers.
import type { LlmAnswer } from '../../questions/answer-cache';
import type { GenerationOptions } from '../../questions/generator';
import type { Entry } from '../../questions/ledger';
import { readCompletion } from '../../questions/llm-client';
import { chatRequest } from '../../questions/llm-generator';
import type { LlmSettings } from '../../questions/llm-settings';

/** OpenAI's limits for one batch, the size with room to spare. */
const REQUESTS_PER_BATCH = 50_000;
const BYTES_PER_BATCH = 150 * 2 ** 20;

/** One line of a batch's input: the request for a chunk, under its cache key. */
export function requestLine(settings: LlmSettings, entry: Entry, options: GenerationOptions): string {
  const body = chatRequest(settings, entry, options);
  return `${JSON.stringify({ custom_id: entry.key, method: 'POST', url: '/v1/chat/completions', body })}\n`;
}

/** Splits lines into files within OpenAI's limits. */
export function packRequests(
  lines: string[],
  maxRequests = REQUESTS_PER_BATCH,
  maxBytes = BYTES_PER_BATCH,
): string[][] {
  const parts: string[][] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(line);
    const part = parts.at(-1);
    if (part && part.length < maxRequests && bytes + size <= maxBytes) {
      part.push(line);
      bytes += size;
    } else {
      parts.push([line]);
      bytes = size;
    }
  }
  return parts;
}

/** One line of an output or error file: the answer to a request, or why there is none. */
export function readLine(line: string): { key: string; answer?: LlmAnswer; problem?: string } {
  try {
    const { custom_id: key, response, error } = JSON.parse(line);
    if (response?.status_code === 200) return { key, answer: readCompletion(response.body) };
    return { key, problem: error?.message ?? response?.body?.error?.message ?? 'no reason given' };
  } catch (error) {
    return { key: '', problem: `a line of the output cannot be read: ${(error as Error).message}` };
  }
}
