// In: a model folder. Out: the encoder's shape (config.json) and how its vectors are pooled (modules.json, 1_Pooling).
import fs from 'node:fs';
import path from 'node:path';
import { readJson } from '../common/files';

/** The numbers of a BERT-family `config.json` that the encoder needs. */
export interface EncoderConfig {
  vocabSize: number;
  hiddenSize: number;
  layers: number;
  heads: number;
  intermediateSize: number;
  maxPositions: number;
  typeVocabSize: number;
  layerNormEps: number;
}

/** How a text's token vectors become its embedding. */
export interface PoolingConfig {
  /** `none`: each token keeps its vector; no folder says so. */
  mode: 'mean' | 'cls' | 'none';
  /** Whether the folder has a Normalize module: embeddings of length 1. */
  normalize: boolean;
}

/** A model folder's JSON file. Throws an Error that names it if it is missing or no JSON. */
export function readModelJson(file: string): Record<string, unknown> {
  return readJson(file, 'Download or copy the model again.') as Record<string, unknown>;
}

/**
 * Reads `config.json`.
 *
 * @throws Error naming what this encoder cannot compute: another architecture, activation or position embedding.
 */
export function readEncoderConfig(folder: string): EncoderConfig {
  const file = path.join(folder, 'config.json');
  const raw = readModelJson(file);
  const refuse = (what: string) =>
    new Error(`${file}: ${what}. Supported are BERT encoders such as all-MiniLM-L6-v2, bge-small-en and e5-small-v2.`);
  if (raw.model_type !== 'bert') throw refuse(`model_type is "${raw.model_type}"`);
  if (raw.hidden_act !== 'gelu') throw refuse(`hidden_act is "${raw.hidden_act}"`);
  const positions = raw.position_embedding_type ?? 'absolute';
  if (positions !== 'absolute') throw refuse(`position_embedding_type is "${positions}"`);
  const whole = (key: string): number => {
    const value = raw[key];
    if (!Number.isInteger(value) || (value as number) < 1)
      throw refuse(`${key} is ${JSON.stringify(value)}, not a whole number`);
    return value as number;
  };
  const config: EncoderConfig = {
    vocabSize: whole('vocab_size'),
    hiddenSize: whole('hidden_size'),
    layers: whole('num_hidden_layers'),
    heads: whole('num_attention_heads'),
    intermediateSize: whole('intermediate_size'),
    maxPositions: whole('max_position_embeddings'),
    typeVocabSize: whole('type_vocab_size'),
    layerNormEps: Number(raw.layer_norm_eps ?? 1e-12),
  };
  if (config.hiddenSize % config.heads) {
    throw refuse(`hidden_size ${config.hiddenSize} is no multiple of num_attention_heads ${config.heads}`);
  }
  return config;
}

/**
 * Reads the sentence-transformers modules: pooling mode, and whether a Normalize module follows.
 * A plain Hugging Face folder without modules.json gets mean pooling, as in sentence-transformers.
 *
 * @throws Error naming a module or pooling mode that is not supported.
 */
export function readPoolingConfig(folder: string): PoolingConfig {
  const modulesFile = path.join(folder, 'modules.json');
  if (!fs.existsSync(modulesFile)) return { mode: 'mean', normalize: false };
  const modules = readModelJson(modulesFile) as unknown as { type: string; path: string }[];
  const kinds = modules.map(({ type }) => type.split('.').at(-1));
  const unknown = kinds.find((kind) => !['Transformer', 'Pooling', 'Normalize'].includes(kind ?? ''));
  if (unknown)
    throw new Error(
      `${modulesFile}: the module ${unknown} is not supported; only Transformer, Pooling and Normalize are.`,
    );
  const pooling = modules[kinds.indexOf('Pooling')];
  if (!pooling) return { mode: 'mean', normalize: kinds.includes('Normalize') };
  const poolingFile = path.join(folder, pooling.path, 'config.json');
  const raw = readModelJson(poolingFile);
  // Newer folders name the mode, older ones hold one flag a mode.
  const flags = Object.keys(raw).filter((key) => key.startsWith('pooling_mode_') && raw[key] === true);
  const named = typeof raw.pooling_mode === 'string' ? [raw.pooling_mode] : flags.map((key) => key.slice(13));
  const modes: Record<string, 'mean' | 'cls'> = { mean_tokens: 'mean', mean: 'mean', cls_token: 'cls', cls: 'cls' };
  const mode = named.length === 1 ? modes[named[0]] : undefined;
  if (!mode) throw new Error(`${poolingFile}: pooling by "${named.join(', ')}" is not supported; only mean or CLS is.`);
  return { mode, normalize: kinds.includes('Normalize') };
}

/** The sentence length the folder asks for (`sentence_bert_config.json`), at most the encoder's positions. */
export function readMaxSeqLength(folder: string, config: EncoderConfig): number {
  const file = path.join(folder, 'sentence_bert_config.json');
  const stored = fs.existsSync(file) ? Number(readModelJson(file).max_seq_length) : Number.NaN;
  return stored >= 3 ? Math.min(stored, config.maxPositions) : config.maxPositions;
}
