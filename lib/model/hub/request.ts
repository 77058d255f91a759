// In: a hub's address. Out: a `fetch` for it, whose failures are errors in words for the user.

const ANSWER_WITHIN_MS = 30_000;

/** The hub answered with an error, or not at all; `retry` says whether asking again can help. */
export class HubError extends Error {
  constructor(
    message: string,
    readonly retry: boolean,
  ) {
    super(message);
  }
}

/**
 * A `fetch` that sends HF_TOKEN to `endpoint` and to no other host: where a redirect leads elsewhere, `fetch` drops it.
 * An answer must be complete within 30 s, unless the request brings a signal of its own.
 *
 * @throws HubError if there is no answer, or no success; addresses in it have no query, which can hold signatures
 */
export function hubFetch(endpoint: string): typeof fetch {
  return async (target, init) => {
    const signal = init?.signal ?? AbortSignal.timeout(ANSWER_WITHIN_MS);
    const request = new Request(target, init);
    // Sizes and ranges are those of the files themselves, so nothing may be compressed on the way.
    request.headers.set('accept-encoding', 'identity');
    const token = hubToken();
    if (token && new URL(request.url).origin === new URL(endpoint).origin) {
      request.headers.set('authorization', `Bearer ${token}`);
    }
    let response: Response;
    try {
      response = await fetch(request, { signal }); // a Request's own is no more once the Request is garbage
    } catch (error) {
      throw new HubError(`${withoutQuery(request.url)} cannot be reached (${reason(error)})${proxyAdvice()}`, true);
    }
    if (response.ok) return response;
    await response.body?.cancel();
    throw refusal(response);
  };
}

function hubToken(): string | undefined {
  const token = process.env.HF_TOKEN?.trim();
  // Checked here, since fetch would print the token when it refuses it.
  if (token && !/^[\x21-\x7e]+$/.test(token)) {
    throw new HubError('HF_TOKEN is not a token: it has spaces, line breaks or letters that none has', false);
  }
  return token;
}

// Node uses the proxy of the environment only when told to.
function proxyAdvice(): string {
  const { HTTPS_PROXY, https_proxy, NODE_USE_ENV_PROXY } = process.env;
  const unused = (HTTPS_PROXY || https_proxy) && !NODE_USE_ENV_PROXY;
  return unused ? '; to go through the proxy of HTTPS_PROXY, set NODE_USE_ENV_PROXY=1 and start again' : '';
}

function refusal({ status, statusText, headers, url }: Response): HubError {
  const code = headers.get('x-error-code');
  const account = process.env.HF_TOKEN ? 'HF_TOKEN has no access to it' : 'HF_TOKEN is not set';
  const temporary = status === 408 || status === 429 || status >= 500;
  let what = `answered ${status} ${statusText}`.trim();
  if (code === 'GatedRepo' || (status === 403 && code === null)) {
    what =
      `says that the model is gated (${status}; ${account}): accept its terms on its page, ` +
      'then set HF_TOKEN to a token of that account';
  } else if (status === 401) {
    what = `says that there is no such model, or that it is private (401; ${account})`;
  } else if (status === 404) {
    what = 'says that there is no such model or file (404): check the name, organisation included';
  }
  return new HubError(`${withoutQuery(url)} ${what}`, temporary);
}

/** Whether time was up; where the Response is garbage by then, `fetch` calls that an abort. */
export const isLate = (error: unknown): boolean => ['TimeoutError', 'AbortError'].includes((error as Error).name);

/** The cause of a failed fetch, such as `getaddrinfo ENOTFOUND huggingface.co`; its message is "fetch failed". */
export function reason(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  if (isLate(error)) return `no whole answer within ${ANSWER_WITHIN_MS / 1000} s`;
  return cause?.message || cause?.code || message;
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
