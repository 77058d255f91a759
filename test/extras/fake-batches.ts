// The fake server's file and batch desk: /v1/files and /v1/batches. A batch stays `in_progress` until `finish()`.

import type { ServerResponse } from 'node:http';
import { type RequestBody, sendError, sendJson } from '../questions/fake-openai';

interface Batch {
  id: string;
  status: string;
  input_file_id: string;
  output_file_id?: string;
  error_file_id?: string;
  metadata?: Record<string, string>;
  request_counts: { total: number; completed: number; failed: number };
  [key: string]: unknown;
}

export interface BatchDesk {
  readonly batches: Map<string, Batch>;
  readonly files: Map<string, string>;
  /** The next batch is taken in, but the connection breaks before the server says so. */
  loseNextReply(): void;
  /** Answers all open batches, except the requests that `fails` picks; another `status` cuts them short. */
  finish(options?: { fails?: (customId: string) => boolean; status?: string }): void;
  handle(method: string, path: string, contentType: string, raw: Buffer, response: ServerResponse): boolean;
}

export function createBatchDesk(complete: (body: RequestBody) => unknown): BatchDesk {
  const files = new Map<string, string>();
  const batches = new Map<string, Batch>();
  let losesReply = false;
  let taken = 0;
  const addFile = (text: string) => {
    const id = `file-${files.size + 1}`;
    files.set(id, text);
    return id;
  };

  const routes: [string, RegExp, (match: RegExpExecArray, contentType: string, raw: Buffer) => unknown][] = [
    [
      'POST',
      /^\/v1\/files$/,
      (_, contentType, raw) => {
        const text = filePart(contentType, raw);
        return { id: addFile(text), object: 'file', purpose: 'batch', bytes: text.length, status: 'processed' };
      },
    ],
    [
      'POST',
      /^\/v1\/batches$/,
      (_match, _type, raw) => {
        const asked = JSON.parse(raw.toString('utf8'));
        const total = files.get(asked.input_file_id)?.trim().split('\n').length ?? 0;
        const request_counts = { total, completed: 0, failed: 0 };
        const id = `batch-${++taken}`;
        const batch = { ...asked, id, object: 'batch', status: 'in_progress', request_counts, created_at: 1 };
        batches.set(id, batch);
        return batch;
      },
    ],
    ['GET', /^\/v1\/batches$/, () => ({ object: 'list', data: [...batches.values()].reverse(), has_more: false })],
    ['GET', /^\/v1\/batches\/([\w-]+)$/, ([, id]) => batches.get(id)],
    ['GET', /^\/v1\/files\/([\w-]+)\/content$/, ([, id]) => files.get(id)],
  ];

  return {
    files,
    batches,
    loseNextReply() {
      losesReply = true;
    },
    finish({ fails = () => false, status = 'completed' } = {}) {
      for (const batch of batches.values()) {
        if (batch.status !== 'in_progress') continue;
        const output: string[] = [];
        const errors: string[] = [];
        for (const line of files.get(batch.input_file_id)!.trim().split('\n')) {
          const { custom_id, body } = JSON.parse(line);
          if (fails(custom_id))
            errors.push(
              JSON.stringify({ custom_id, response: null, error: { code: 'batch_expired', message: 'late' } }),
            );
          else
            output.push(
              JSON.stringify({ custom_id, response: { status_code: 200, body: complete(body) }, error: null }),
            );
        }
        batch.status = status;
        batch.request_counts = {
          total: output.length + errors.length,
          completed: output.length,
          failed: errors.length,
        };
        if (output.length > 0) batch.output_file_id = addFile(`${output.join('\n')}\n`);
        if (errors.length > 0) batch.error_file_id = addFile(`${errors.join('\n')}\n`);
      }
    },
    handle(method, path, contentType, raw, response) {
      for (const [verb, pattern, act] of routes) {
        const match = pattern.exec(path);
        if (verb !== method || !match) continue;
        const value = act(match, contentType, raw);
        if (losesReply && verb === 'POST' && path === '/v1/batches') {
          losesReply = false;
          response.destroy();
        } else if (value === undefined) sendError(response, 404, `No such object: ${path}`);
        else if (typeof value === 'string') response.writeHead(200, { 'content-type': 'text/plain' }).end(value);
        else sendJson(response, value);
        return true;
      }
      return false;
    },
  };
}

/** The uploaded file's text, out of a multipart form. */
function filePart(contentType: string, raw: Buffer): string {
  const boundary = /boundary=(.+)$/.exec(contentType)?.[1];
  const part = raw
    .toString('utf8')
    .split(`--${boundary}`)
    .find((piece) => /name="file"/.test(piece));
  return part?.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, '') ?? '';
}
