// In: the key and the address of OpenAI's API, or of a server that speaks it. Out: the address for requests and for
// people to read; and errors and texts without secrets.
const OPENAI_URL = 'https://api.openai.com/v1';

/** Where the server is, and what opens it. */
export interface OpenAIServer {
  /** OpenAI's own by default. */
  baseURL?: string;
  /** Needed by OpenAI and other paid services; local servers take any. */
  apiKey?: string;
}

/** The server's address without user name, password and query, which may hold secrets. */
export function publicUrl(baseURL: string | undefined): string {
  const url = URL.parse(baseURL || OPENAI_URL);
  if (!url) throw new Error('OPENAI_BASE_URL is not an address; it looks like http://localhost:11434/v1.');
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * The server's address, for requests.
 * @throws Error that shows neither, if no request could carry key or address: better now than after all retries.
 */
export function serverUrl({ baseURL, apiKey }: OpenAIServer): string {
  if (apiKey && /[^\x21-\x7e]/.test(apiKey))
    throw new Error('OPENAI_API_KEY holds a character that no key has, such as a blank or a line break; copy it anew.');
  publicUrl(baseURL);
  const url = new URL(baseURL || OPENAI_URL);
  if (url.username || url.password)
    throw new Error('OPENAI_BASE_URL holds a user name or a password, which requests do not carry; leave it out.');
  return baseURL || OPENAI_URL;
}

/** Removes the key, and what looks like one or like a token of the Hugging Face hub, from text for people or files. */
export function scrub(text: string, apiKey: string | undefined): string {
  // A dummy for a local server ("none", "ollama") is no secret, and may be a word of the text.
  const withoutKey = apiKey && apiKey.length >= 8 ? text.split(apiKey).join('[key]') : text;
  return withoutKey.replace(/\b(sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{16,})/g, '[key]');
}

/** What an error says, without the key. */
export function errorText(error: unknown, { apiKey }: OpenAIServer = {}): string {
  return scrub(error instanceof Error ? error.message : String(error), apiKey);
}
