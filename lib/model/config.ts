// In: a model folder. Out: the encoder's shape (config.json) and how its vectors are pooled (modules.json, 1_Pooling).
import fs from 'node:fs';
import path from 'node:path';
import { ARCHITECTURES } from './architectures';
import { BUCKETS } from './bert/distance-bucket';
import { ModelJson } from './model-json';

/** What the encoder needs of a `config.json`. */
export interface EncoderConfig {
  /** `bert`, or another of {@link ARCHITECTURES}. */
  modelType: string;
  vocabSize: number;
  hiddenSize: number;
  layers: number;
  heads: number;
  intermediateSize: number;
  /** Tokens of a text at most. */
  maxPositions: number;
  /** Rows of the table of positions before that of a text's first token. */
  firstPosition: number;
  /** Token types; 0 where there are none. */
  typeVocabSize: number;
  layerNormEps: number;
  /** By layer; absent where there is a table of positions. */
  rotary?: RotaryLayer[];
}

/** How a layer places tokens that have no position embedding. */
export interface RotaryLayer {
  /** By what angle each pair of numbers of a head's queries and keys turns from token to token. */
  frequencies: number[];
  /** How many tokens to either side a token attends to. */
  reach: number;
}

/** How a text's token vectors become its embedding. */
export interface PoolingConfig {
  /** `none`: each token keeps its vector; no folder says so. */
  mode: 'mean' | 'cls' | 'none';
  /** Whether the folder has a Normalize module: embeddings of length 1. */
  normalize: boolean;
}

/** What `config.json` must say, or may: the encoder computes nothing else. */
const COMPUTED: Record<string, unknown[]> = {
  model_type: Object.keys(ARCHITECTURES),
  hidden_act: ['gelu'],
  position_embedding_type: ['absolute', null, undefined],
  is_decoder: [false, undefined],
  relative_attention_num_buckets: [BUCKETS, undefined],
  attention_bias: [false, undefined],
  mlp_bias: [false, undefined],
  norm_bias: [false, undefined],
  rope_scaling: [null, undefined],
  'rope_parameters.full_attention.rope_type': ['default', undefined],
  'rope_parameters.sliding_attention.rope_type': ['default', undefined],
};

/**
 * Reads `config.json`.
 *
 * @throws Error naming what this encoder cannot compute (another architecture, activation or position embedding), or a
 *   number that no model has
 */
export function readEncoderConfig(folder: string): EncoderConfig {
  const json = new ModelJson(folder, 'config.json');
  const supported =
    'Supported are BERT (all-MiniLM-L6-v2, bge-small-en, multilingual-e5-small), RoBERTa and XLM-RoBERTa ' +
    '(multilingual-e5-base), MPNet (all-mpnet-base-v2), DistilBERT and ModernBERT (gte-modernbert-base).';
  const modelType = String(json.at('model_type'));
  const architecture = Object.hasOwn(ARCHITECTURES, modelType) ? ARCHITECTURES[modelType] : ARCHITECTURES.bert;
  const own = (key: string) => architecture.settings[key] ?? key;
  const other = Object.keys(COMPUTED).find((key) => !COMPUTED[key].includes(json.at(own(key))));
  if (other) throw json.error(`${own(other)} is ${JSON.stringify(json.at(own(other)))}`, supported);
  const has = (key: string) => json.at(key) !== undefined;
  const padding = () => (has('pad_token_id') ? json.number('pad_token_id', 0, 10_000_000) : 1);
  const firstPosition = architecture.countsAfterPadding ? padding() + 1 : 0;
  const eps = own('layer_norm_eps');
  const config: EncoderConfig = {
    modelType,
    vocabSize: json.number('vocab_size', 1, 10_000_000),
    hiddenSize: json.number(own('hidden_size'), 1, 65_536),
    layers: json.number(own('num_hidden_layers'), 1, 1000),
    heads: json.number(own('num_attention_heads'), 1, 1000),
    intermediateSize: json.number(own('intermediate_size'), 1, 1_000_000),
    maxPositions: json.number('max_position_embeddings', firstPosition + 3, 1_000_000) - firstPosition,
    firstPosition,
    typeVocabSize: architecture.hasTypes ? json.number('type_vocab_size', 1, 1000) : 0,
    layerNormEps: has(eps) || eps === 'norm_eps' ? json.number(eps, 1e-15, 0.1, false) : 1e-12,
  };
  if (config.hiddenSize % config.heads) {
    const names = ['hidden_size', 'num_attention_heads'].map(own);
    throw json.error(`${names[0]} ${config.hiddenSize} is no multiple of ${names[1]} ${config.heads}`);
  }
  return architecture.isRotary ? { ...config, rotary: readRotary(json, config) } : config;
}

/** ModernBERT's layers, of which each attends to all or to what is near, by the settings of transformers 5 or 4. */
function readRotary(json: ModelJson, { layers, hiddenSize, heads }: EncoderConfig): RotaryLayer[] {
  const pairs = hiddenSize / heads / 2;
  const kind = (type: string, before: string, reach: number): RotaryLayer => {
    const place = json.at('rope_parameters') ? `rope_parameters.${type}.rope_theta` : before;
    const theta = json.number(place, 1, 1e12, false);
    return { frequencies: Array.from({ length: pairs }, (_, i) => theta ** (-i / pairs)), reach };
  };
  const full = kind('full_attention', 'global_rope_theta', Number.POSITIVE_INFINITY);
  const reach = Math.floor(json.number('local_attention', 1, 1_000_000) / 2);
  const local = kind('sliding_attention', 'local_rope_theta', reach);
  const types: Record<string, RotaryLayer> = { full_attention: full, sliding_attention: local };
  const every = json.at('layer_types') ? 0 : json.number('global_attn_every_n_layers', 1, 1000);
  return Array.from({ length: layers }, (_, i) => {
    if (every) return i % every ? local : full;
    return types[json.expect<string>(`layer_types.${i}`, (type) => type in types, Object.keys(types).join(' or '))];
  });
}

/**
 * Reads the sentence-transformers modules: pooling mode, and whether a Normalize module follows.
 * A plain Hugging Face folder without modules.json gets mean pooling, as in sentence-transformers.
 *
 * @throws Error naming a module, pooling mode or setting that is not supported.
 */
export function readPoolingConfig(folder: string): PoolingConfig {
  if (!fs.existsSync(path.join(folder, 'modules.json'))) return { mode: 'mean', normalize: false };
  const list = new ModelJson(folder, 'modules.json');
  const modules = Object.values(list.content) as ({ type?: string; path?: string } | null)[];
  const kinds = modules.map((module) => String(module?.type).split('.').at(-1)!);
  if (!/^Transformer,Pooling(,Normalize)?$/.test(kinds.join())) {
    throw list.error(`${kinds} are not supported`, 'Only Transformer, Pooling and Normalize are, in this order.');
  }
  // The Transformer lies in the folder itself, the others in folders there.
  const paths = modules.map((module) => module!.path).join(':');
  if (!/^:[\w-]+(:[\w-]*)?$/.test(paths)) throw list.error(`its modules lie in "${paths}", not in the model's folder`);
  const json = new ModelJson(folder, path.join(String(modules[1]!.path), 'config.json'));
  // Newer folders name the mode, older ones hold one flag a mode.
  const flags = Object.keys(json.content).filter(
    (key) => key.startsWith('pooling_mode_') && json.content[key] === true,
  );
  const name = json.at('pooling_mode');
  const named = typeof name === 'string' ? [name] : flags.map((key) => key.slice(13));
  const modes: Record<string, 'mean' | 'cls'> = { mean_tokens: 'mean', mean: 'mean', cls_token: 'cls', cls: 'cls' };
  const mode = named.length === 1 ? modes[named[0]] : undefined;
  if (json.at('include_prompt') === false)
    throw json.error('include_prompt is false, which is not supported', 'Prompts are pooled with the text.');
  if (!mode) throw json.error(`pooling by "${named.join(', ')}" is not supported`, 'Only mean or CLS is.');
  return { mode, normalize: modules.length === 3 };
}

/**
 * The sentence length the folder asks for, at most the encoder's positions: `max_seq_length` in
 * `sentence_bert_config.json`, or, as sentence-transformers saves it from version 6 on, the tokenizer's own.
 */
export function readMaxSeqLength(folder: string, { maxPositions }: EncoderConfig): number {
  const own = new ModelJson(folder, 'sentence_bert_config.json', true);
  const json = (own.at('max_seq_length') ?? null) !== null ? own : new ModelJson(folder, 'tokenizer_config.json', true);
  const place = json === own ? 'max_seq_length' : 'model_max_length';
  // transformers writes 1e30 for a tokenizer without a limit.
  return (json.at(place) ?? null) === null ? maxPositions : Math.min(json.number(place, 3, 1e30), maxPositions);
}
