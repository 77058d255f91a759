// One GET request to the hub: an address in, a response out. The access token goes to the hub itself, nowhere else.

const MAX_REDIRECTS = 10;

/** The hub answered with an error, or not at all; `retry` says whether asking again can help. */
export class HubError extends Error {
  constructor(
    message: string,
    readonly retry: boolean,
    readonly status?: number,
  ) {
    super(message);
  }
}

/**
 * Follows redirects by hand, since large files come from another host, which must not see the token.
 *
 * @param url An address below `endpoint`.
 * @throws HubError in words for the user; addresses in it come without their query, which can hold signatures.
 */
export async function get(
  url: string,
  endpoint: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  let target = new URL(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await send(target, endpoint, headers, signal);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !location) {
      if (!response.ok) throw await refusal(response, target);
      return response;
    }
    await response.body?.cancel();
    target = new URL(location, target);
  }
  throw new HubError(`${withoutQuery(new URL(url))} redirects more than ${MAX_REDIRECTS} times`, false);
}

async function send(
  target: URL,
  endpoint: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const authorization = target.origin === new URL(endpoint).origin ? authorize() : {};
  try {
    return await fetch(target, {
      // Sizes and ranges are those of the files themselves, so nothing may be compressed on the way.
      headers: { 'accept-encoding': 'identity', ...headers, ...authorization },
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    throw new HubError(`${withoutQuery(target)} cannot be reached (${reason(error)})${proxyAdvice()}`, true);
  }
}

function authorize(): Record<string, string> {
  const token = process.env.HF_TOKEN?.trim();
  if (!token) return {};
  // Checked here, since fetch would print the token when it refuses it.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new HubError('HF_TOKEN is not a token: it has spaces, line breaks or letters that none has', false);
  }
  return { authorization: `Bearer ${token}` };
}

// Node uses the proxy of the environment only when told to.
function proxyAdvice(): string {
  const { HTTPS_PROXY, https_proxy, NODE_USE_ENV_PROXY } = process.env;
  const unused = (HTTPS_PROXY || https_proxy) && !NODE_USE_ENV_PROXY;
  return unused ? '; to go through the proxy of HTTPS_PROXY, set NODE_USE_ENV_PROXY=1 and start again' : '';
}

async function refusal(response: Response, target: URL): Promise<HubError> {
  await response.body?.cancel();
  const { status } = response;
  const code = response.headers.get('x-error-code');
  const account = process.env.HF_TOKEN ? 'HF_TOKEN has no access to it' : 'HF_TOKEN is not set';
  const temporary = status === 408 || status === 429 || status >= 500;
  let what = `answered ${status} ${response.statusText}`.trim();
  if (code === 'GatedRepo' || (status === 403 && code === null)) {
    what = `says that the model is gated (${status}; ${account}): accept its terms on its page, then set HF_TOKEN to a token of that account`;
  } else if (status === 401) {
    what = `says that there is no such model, or that it is private (401; ${account})`;
  } else if (status === 404) {
    what = 'says that there is no such model or file (404): check the name, organisation included';
  }
  return new HubError(`${withoutQuery(target)} ${what}`, temporary, status);
}

/** The cause of a failed fetch, such as `ENOTFOUND`: undici's own message only says "fetch failed". */
export function reason(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  return cause?.code ?? cause?.message ?? message;
}

function withoutQuery(url: URL): string {
  return url.origin + url.pathname;
}
