// In: one request. Out: the model's text. What a server does not understand of the request is left out.
import OpenAI from 'openai';
import type { OpenAIServer } from '../common/openai';
import { fetchCapped, openAIClient } from '../common/openai-client';
import { type CallOptions, isHopeless, isTooLong, type Patience, patientCalls } from '../common/patient-calls';
import type { LlmAnswer } from './answer-cache';
import { withoutThoughts } from './parse-answer';

export type ChatRequest = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

/** Whatever answers a request: a server, or a model in this process. */
export interface Chat {
  /** @throws As {@link patientCalls}. */
  ask(request: ChatRequest, options: CallOptions): Promise<LlmAnswer>;
}

/** Tokens for the thoughts of a model that thinks before it answers. */
const ROOM_FOR_THOUGHTS = 4096;
/** What models and servers differ in; a request makes sense without. */
const OPTIONAL = ['response_format', 'temperature', 'seed', 'max_tokens'] as const;
type Optional = (typeof OPTIONAL)[number];

/** A model behind an OpenAI-compatible server, called again and again where that helps. */
export function serverChat(settings: OpenAIServer & Patience): Chat {
  const { concurrency = 4, timeoutSeconds = 180 } = settings;
  // The package's own tries know neither a pause for all calls nor an end of patience.
  const openai = openAIClient(settings, { maxRetries: 0, timeout: timeoutSeconds * 1000, fetch: fetchCapped });
  const call = patientCalls(settings, { ...settings, concurrency, timeoutSeconds });
  const refused = new Set<Optional>();
  let isThinker = false;

  /** One call; where the server refuses a part of it, one more without; where thoughts take all room, one with more. */
  const askOnce = async (request: ChatRequest, signal?: AbortSignal): Promise<LlmAnswer> => {
    const left = new Set(refused);
    while (true) {
      const thinks = isThinker;
      const body = trimmed(request, left, thinks);
      try {
        const drawnWith = { temperature: body.temperature ?? undefined, seed: body.seed ?? undefined };
        const completion = await openai.chat.completions.create(body, { signal });
        for (const name of left) refused.add(name);
        if (!thinks && endsInThought(completion)) isThinker = true;
        else return { ...readCompletion(completion), ...drawnWith };
      } catch (error) {
        const name = refusedPart(error, body);
        if (!name || left.has(name)) throw error;
        left.add(name);
      }
    }
  };
  return { ask: (request, options) => call(() => askOnce(request, options.signal), options) };
}

/** The request without what the server refuses. */
function trimmed(request: ChatRequest, left: Set<Optional>, thinks: boolean): ChatRequest {
  const { max_tokens, ...rest } = request;
  const body: ChatRequest = { ...rest };
  for (const name of left) delete body[name];
  const room = max_tokens && max_tokens + (thinks ? ROOM_FOR_THOUGHTS : 0);
  // OpenAI's models that think take the limit under a newer name alone.
  if (room) body[left.has('max_tokens') ? 'max_completion_tokens' : 'max_tokens'] = room;
  return body;
}

/** Which part of the request a server refuses, as far as it says; some of llama.cpp's versions say so with a 500. */
function refusedPart(error: unknown, body: ChatRequest): Optional | undefined {
  if (!(error instanceof OpenAI.APIError) || isHopeless(error) || isTooLong(error)) return undefined;
  if (![400, 415, 422, 500, 501].includes(error.status)) return undefined;
  const said = `${error.param} ${error.message}`;
  const named = OPTIONAL.find((name) => body[name] !== undefined && said.includes(name));
  const aboutStructure = error.status !== 500 || /json_schema|grammar/i.test(said);
  return named ?? (body.response_format && aboutStructure ? 'response_format' : undefined);
}

/** What servers send beside the API: thoughts apart from the answer, under one of two names. */
type Message = OpenAI.Chat.ChatCompletionMessage & { reasoning_content?: string; reasoning?: string };

/** Whether a model was still thinking when its tokens ran out. */
function endsInThought(completion: OpenAI.Chat.ChatCompletion): boolean {
  const { choices, usage } = completion ?? {};
  const message = choices?.[0]?.message as Message | undefined;
  if (choices?.[0]?.finish_reason !== 'length' || !message || withoutThoughts(message.content ?? '')) return false;
  const counted = usage?.completion_tokens_details?.reasoning_tokens;
  return Boolean(message.content || message.reasoning_content || message.reasoning || counted);
}

/**
 * Reads a chat completion; one that calls a tool has its answer in the tool's arguments.
 * @throws SyntaxError if it is none; servers under load send half of one.
 */
export function readCompletion(completion: unknown): LlmAnswer {
  const { choices, usage } = (completion ?? {}) as Partial<OpenAI.Chat.ChatCompletion>;
  const choice = choices?.[0];
  if (!choice?.message) throw new SyntaxError('the server sent no chat completion');
  const { content, refusal, tool_calls } = choice.message;
  const [tool] = tool_calls ?? [];
  const text = content || (tool?.type === 'function' ? tool.function.arguments : '');
  return {
    text: typeof text === 'string' ? text : '',
    note: refusal ?? (choice.finish_reason === 'stop' ? undefined : choice.finish_reason),
    inputTokens: usage?.prompt_tokens,
    outputTokens: usage?.completion_tokens,
  };
}
