// In: the name of an instruct model, or a folder that holds one. Out: a function that answers prompts on this machine,
// through transformers.js (ONNX).
import fs from 'node:fs';
import path from 'node:path';
import { getHFHubCachePath, getRepoFolderName } from '@huggingface/hub';

/** Answers one prompt with at most `maxTokens` tokens. */
export type AnswerPrompt = (prompt: string, maxTokens: number) => Promise<string>;

/** Files of transformers.js' models by their precision (`dtype`), in order of preference: fast on a CPU first. */
const PRECISIONS = [
  ['q4', 'model_q4.onnx'],
  ['q8', 'model_quantized.onnx'],
  ['fp32', 'model.onnx'],
  ['fp16', 'model_fp16.onnx'],
] as const;

type Precision = (typeof PRECISIONS)[number][0];

/** A chat, as transformers.js takes and gives it. */
type Chat = { role: string; content: string }[];
type TextGeneration = (
  chat: Chat,
  options: { max_new_tokens: number; do_sample: boolean },
) => Promise<{ generated_text: string | Chat }[]>;
type Pipeline = TextGeneration & { tokenizer: { chat_template?: unknown } };

/**
 * Loads a model for text generation: from a folder, from the Hugging Face cache on this machine, or from the hub.
 * @param model A folder with `config.json`, `tokenizer.json` and `onnx/`, or a hub name (`onnx-community/…`).
 * @throws Error that says how to get a model, if this one can't be had or isn't one.
 */
export async function loadLocalModel(model: string): Promise<AnswerPrompt> {
  const folder = isFolder(model) ? path.resolve(model) : cachedFolder(model);
  if (!folder && !/^[\w.-]+\/[\w.-]+$/.test(model)) throw unavailable(model, 'it is neither a folder nor a hub name');
  const precision = folder ? precisionIn(folder) : 'q8';
  if (!precision)
    throw unavailable(model, `${folder} has no ${PRECISIONS.map(([, file]) => `onnx/${file}`).join(', ')}`);
  try {
    const generate = await loadPipeline(folder ?? model, precision);
    completeTokenizer(generate.tokenizer, folder);
    return answering(generate);
  } catch (error) {
    throw unavailable(model, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Newer models keep the chat template in a file of its own, which transformers.js does not look for.
 * @throws Error if there is none: the model only goes on with a text, and takes no instructions.
 */
export function completeTokenizer<T extends { chat_template?: unknown }>(tokenizer: T, folder: string | undefined): T {
  const file = folder && path.join(folder, 'chat_template.jinja');
  if (!tokenizer.chat_template && file && fs.existsSync(file)) tokenizer.chat_template = fs.readFileSync(file, 'utf8');
  if (!tokenizer.chat_template) throw new Error('it has no chat template, so it is no instruct model');
  return tokenizer;
}

/** Turns a transformers.js pipeline into a function from prompt to answer. */
export function answering(generate: TextGeneration): AnswerPrompt {
  return async (prompt, maxTokens) => {
    // The most probable words, not drawn ones: the same questions in every run.
    const options = { max_new_tokens: maxTokens, do_sample: false };
    const [{ generated_text: text }] = await generate([{ role: 'user', content: prompt }], options);
    return typeof text === 'string' ? text : (text.at(-1)?.content ?? '');
  };
}

async function loadPipeline(model: string, dtype: Precision): Promise<Pipeline> {
  // Loaded when needed: the ONNX runtime is large.
  const { env, pipeline } = await import('@huggingface/transformers');
  if (process.env.HF_ENDPOINT) env.remoteHost = process.env.HF_ENDPOINT;
  const options = { dtype, local_files_only: path.isAbsolute(model) };
  return (await pipeline('text-generation', model, options)) as unknown as Pipeline;
}

// What `huggingface_hub` downloaded: refs/main names the folder below snapshots.
function cachedFolder(name: string): string | undefined {
  const repository = path.join(getHFHubCachePath(), getRepoFolderName({ type: 'model', name }));
  const ref = path.join(repository, 'refs', 'main');
  if (!fs.existsSync(ref)) return undefined;
  const folder = path.join(repository, 'snapshots', fs.readFileSync(ref, 'utf8').trim());
  return isFolder(folder) && precisionIn(folder) ? folder : undefined;
}

function precisionIn(folder: string): Precision | undefined {
  return PRECISIONS.find(([, file]) => fs.existsSync(path.join(folder, 'onnx', file)))?.[0];
}

function isFolder(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function unavailable(model: string, reason: string): Error {
  return new Error(
    `QUESTION_GENERATOR is local, but LLM_MODEL "${model}" cannot be loaded: ${reason.replace(/\.$/, '')}. ` +
      'Name an instruct model that transformers.js can run (such as onnx-community/Qwen2.5-0.5B-Instruct), which the ' +
      'Hugging Face hub must be reachable for once, or a folder that holds one (config.json, tokenizer.json, onnx/); ' +
      'or take QUESTION_GENERATOR=offline.',
  );
}
