// In: a model folder, or a model's name. Out: an EmbeddingModel.
import path from 'node:path';
import { withLock } from '../common/lock';
import type { OnProgress } from '../common/matrix';
import { BertEncoder, type NamedTensors } from './bert/encoder';
import { fuseQueryKeyValue, selectWeights, WORDS } from './bert/weight-names';
import { type EncoderConfig, readEncoderConfig, readMaxSeqLength, readPoolingConfig } from './config';
import { EmbeddingModel } from './embedding-model';
import { weightFiles } from './hub/model-folder';
import { resolveModel } from './hub/resolve';
import { ABOUT, type Prompts, readPrompts } from './prompts';
import { readSafetensors, type StoredTensor } from './safetensors';
import { readSearchSettings } from './search-settings';
import { finishSwap, isSwapUnfinished } from './swap';
import { uploaded } from './tf';
import { loadTokenizer } from './tokenizer';

interface LoadOptions {
  /** As in {@link resolveModel}. */
  onProgress?: OnProgress;
  /** Shown in tables and figures; the model's name by default. */
  name?: string;
  /** Cuts texts to this many tokens; the folder's own setting by default. */
  maxSeqLength?: number;
  /** What is put before each question and each document; as in {@link readPrompts} by default. */
  prompts?: Prompts;
}

/**
 * Loads an embedding model of BERT's kind from a folder, the local cache, the Hugging Face hub, or, for
 * all-MiniLM-L6-v2, the Python package in `.venv`.
 *
 * @param nameOrPath a folder, or a model's name such as `BAAI/bge-small-en`
 * @throws Error if the model cannot be found, is of another architecture, or its weights don't fit its settings
 */
export async function loadModel(nameOrPath: string, options: LoadOptions = {}): Promise<EmbeddingModel> {
  // A new version that was taking its place when its process was killed goes on doing so.
  if (isSwapUnfinished(nameOrPath)) await withLock(nameOrPath, async () => finishSwap(nameOrPath));
  const folder = await resolveModel(nameOrPath, options);
  const config = readEncoderConfig(folder);
  const pooling = readPoolingConfig(folder);
  const maxSeqLength = options.maxSeqLength ?? readMaxSeqLength(folder, config);
  const tokenizer = loadTokenizer(folder, config.vocabSize);
  const prompts = readPrompts(folder, nameOrPath, options.prompts);
  const lengths = Object.values(prompts).map((prompt) => tokenizer.withPrompt(prompt).encode('', 1_000_000).length);
  const least = 1 + Math.max(...lengths);
  if (!Number.isInteger(maxSeqLength) || maxSeqLength < least || maxSeqLength > config.maxPositions) {
    const prompted = least > 3 ? `, prompts (${path.join(folder, ABOUT)}) included` : '';
    const range = `${least} to ${config.maxPositions} tokens${prompted}`;
    throw new Error(`MAX_SEQ_LENGTH is ${maxSeqLength}; ${nameOrPath} takes ${range}.`);
  }
  const search = readSearchSettings(folder, config.maxPositions);
  const { words, weights: stored, untrained } = weightsIn(folder, config);
  const weights: NamedTensors = new Map();
  await upload(stored, weights);
  return new EmbeddingModel({
    name: options.name ?? nameOrPath,
    folder,
    tokenizer,
    prompts,
    encoder: new BertEncoder(config, pooling),
    words,
    weights,
    untrained,
    maxSeqLength,
    search,
  });
}

/** Weights of a folder, word embeddings apart, query, key and value joined; and those that embeddings don't need. */
function weightsIn(folder: string, config: EncoderConfig) {
  const files = weightFiles(folder).map((name) => path.join(folder, name));
  const stored = new Map(files.flatMap((file) => [...readSafetensors(file)]));
  const others = [...stored].filter(([name]) => /^(\w+\.)?pooler\./.test(name));
  const weights = selectWeights(stored, config, files.join(', '));
  const words = weights.get(WORDS)!;
  weights.delete(WORDS);
  return {
    words,
    weights: fuseQueryKeyValue(weights),
    // Read now: the folder's model may be another when this one is saved.
    untrained: new Map(others.map(([name, { shape, data }]) => [name, { shape, data }])),
  };
}

/** Puts weights, one after another, where a model has its own. */
async function upload(stored: Map<string, StoredTensor>, weights: NamedTensors): Promise<void> {
  for (const [name, { shape, data }] of stored) {
    weights.get(name)?.dispose();
    weights.set(name, uploaded(data, shape));
    await new Promise(setImmediate); // frees what was read, unless TensorFlow took it as it was
  }
}

/** Replaces a model's weights by those saved in a folder, such as the best of a training run. */
export async function loadWeights(model: EmbeddingModel, folder: string): Promise<void> {
  const { words, weights } = weightsIn(folder, model.encoder.config);
  model.words = words;
  await upload(weights, model.weights);
}
