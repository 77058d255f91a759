// In: the key and the address of OpenAI's API, or of a server that speaks it. Out: a client of the openai package.
// Apart from openai.ts, so that the public types do not bring the package's along.
import OpenAI from 'openai';
import { type OpenAIServer, serverUrl } from './openai';

/** A body larger than this is not read to its end: no answer to a prompt is. */
const LARGEST_BODY = 64 * 2 ** 20;

/**
 * A client whose address and key have been checked; errors it throws may hold the key, see `errorText`.
 * @param options The package's own, such as `maxRetries`, `timeout` in milliseconds, or `fetch: fetchCapped`.
 * @throws Error as {@link serverUrl}.
 */
export function openAIClient(server: OpenAIServer, options: ConstructorParameters<typeof OpenAI>[0]): OpenAI {
  // The package insists on a key; servers that need none ignore it.
  return new OpenAI({ apiKey: server.apiKey || 'none', baseURL: serverUrl(server), ...options });
}

/** A server's answer had no end in sight. */
export class TooLargeError extends Error {
  override name = 'TooLargeError';
}

/** `fetch` whose answer ends in a {@link TooLargeError} beyond 64 MB. */
export async function fetchCapped(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.body) return response;
  let bytes = 0;
  const capped = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(part, controller) {
        bytes += part.byteLength;
        if (bytes > LARGEST_BODY)
          controller.error(new TooLargeError(`the answer is larger than ${LARGEST_BODY / 2 ** 20} MB`));
        else controller.enqueue(part);
      },
    }),
  );
  return new Response(capped, { status: response.status, statusText: response.statusText, headers: response.headers });
}
