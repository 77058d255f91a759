// In: chunks, and a model's file (GGUF). Out: questions by a small instruct model in this process, through llama.cpp.
import fs from 'node:fs';
import os from 'node:os';
import { errorText } from '../common/openai';
import type { QuestionGenerator } from '../questions/generator';
import type { Chat, ChatRequest } from '../questions/llm-client';
import { createLlmGenerator } from '../questions/llm-generator';
import type { LlmSettings } from '../questions/llm-settings';

/** The package, which is installed only where somebody wants it: its binaries are large. */
const PACKAGE: string = 'node-llama-cpp';
const LONGEST_CONTEXT = 8192;

/** What is used of it. */
interface LlamaCpp {
  getLlama(options: { build: 'never' }): Promise<{
    createGrammarForJsonSchema(schema: object): Promise<unknown>;
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: object): Promise<{ getSequence(): { clearHistory(): Promise<void> } }>;
    }>;
  }>;
  LlamaChatSession: new (
    options: object,
  ) => {
    promptWithMeta(text: string, options: object): Promise<{ responseText: string; stopReason: string }>;
  };
}

/**
 * Asks a model that runs here to set an exam about every chunk, one at a time: no key and no server, but seconds a
 * chunk, and plainer questions than a large model's. Its answers hold to the JSON schema. Otherwise as
 * `createLlmGenerator`.
 * @param settings `model` is the path of a GGUF file of an instruct model.
 * @throws Error from `generate`, if the package is not installed or the file is none.
 */
export function createLocalGenerator(settings: LlmSettings): QuestionGenerator {
  const description = `${settings.model} in this process`;
  const connect = () => openModel(settings.model);
  return createLlmGenerator({ ...settings, concurrency: 1 }, { description, connect });
}

async function openModel(modelPath: string): Promise<Chat> {
  const { LlamaChatSession, getLlama } = await loadPackage();
  if (!fs.existsSync(modelPath))
    throw new Error(`QUESTION_GENERATOR is local, but there is no file LLM_MODEL, "${modelPath}": name a GGUF file.`);
  const llama = await getLlama({ build: 'never' });
  const model = await llama.loadModel({ modelPath });
  // Its threads wait for each other at every token: where others work as well, as many as cores bring it to a halt.
  const threads = Math.max(1, os.availableParallelism() >> 1);
  const context = await model.createContext({ contextSize: { max: LONGEST_CONTEXT }, threads });
  const sequence = context.getSequence();
  return {
    async ask({ messages, max_tokens, temperature, seed, response_format }: ChatRequest, { signal }) {
      const schema = response_format?.type === 'json_schema' ? response_format.json_schema.schema : undefined;
      const grammar = schema && (await llama.createGrammarForJsonSchema(schema));
      await sequence.clearHistory();
      const session = new LlamaChatSession({ contextSequence: sequence });
      const options = { grammar, maxTokens: max_tokens, temperature, seed, signal };
      const { responseText, stopReason } = await session.promptWithMeta(String(messages[0].content), options);
      return { text: responseText, ...(stopReason === 'maxTokens' ? { note: 'length' } : {}) };
    },
  };
}

async function loadPackage(): Promise<LlamaCpp> {
  try {
    return await import(PACKAGE);
  } catch (error) {
    throw new Error(
      `QUESTION_GENERATOR=local needs the package ${PACKAGE}: run "npm install --no-save --ignore-scripts ` +
        `${PACKAGE}@3.21.1" in the project's folder. (${errorText(error)})`,
    );
  }
}
