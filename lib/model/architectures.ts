// In: a `model_type` of config.json. Out: in what that encoder differs from BERT: settings, positions, weights' names.
import { BUCKETS } from './bert/distance-bucket';

/** An encoder of BERT's kind, by its differences. */
export interface Architecture {
  /** Before each weight's name where a checkpoint holds a head, too. */
  prefix: string;
  /** Parts of BERT's weight names, in this order, and what stands in their place here. */
  names: [bert: string, own: string][];
  /** BERT's settings that have another name here. */
  settings: Record<string, string>;
  /** Whether there are token types, whose first is added to every token of a text on its own. */
  hasTypes: boolean;
  /** Positions are counted from the padding token's id + 1 on, as fairseq has them. */
  countsAfterPadding: boolean;
  /** No table of positions: queries and keys turn by them (Su et al. 2021, arXiv 2104.09864); layers may be local. */
  isRotary?: boolean;
  /** The feed-forward's hidden layer has a gate (GeGLU: Shazeer 2020, arXiv 2002.05202). */
  isGated?: boolean;
  /** What attention and feed-forward make is added to what came into the norm they read, not to what came out. */
  isPreNorm?: boolean;
  /** Norms and linear layers have a bias. */
  hasBiases: boolean;
  /** Query, key and value are one weight in a checkpoint, too. */
  isFused?: boolean;
  /** Buckets of distances, each with a number a head that is added to the scores of attention (Raffel et al. 2020). */
  relativeBuckets: number;
}

/** Devlin et al. 2019, arXiv 1810.04805. */
const bert: Architecture = {
  prefix: 'bert.',
  names: [],
  settings: {},
  hasTypes: true,
  countsAfterPadding: false,
  hasBiases: true,
  relativeBuckets: 0,
};

/** Liu et al. 2019, arXiv 1907.11692; XLM-RoBERTa (Conneau et al. 2020, arXiv 1911.02116) differs in its vocabulary. */
const roberta: Architecture = { ...bert, prefix: 'roberta.', countsAfterPadding: true };

/** Sanh et al. 2019, arXiv 1910.01108. */
const distilbert: Architecture = {
  ...bert,
  prefix: 'distilbert.',
  names: [
    ['encoder.layer.', 'transformer.layer.'],
    ['attention.self.query', 'attention.q_lin'],
    ['attention.self.key', 'attention.k_lin'],
    ['attention.self.value', 'attention.v_lin'],
    ['attention.output.dense', 'attention.out_lin'],
    ['attention.output.LayerNorm', 'sa_layer_norm'],
    ['intermediate.dense', 'ffn.lin1'],
    ['output.dense', 'ffn.lin2'],
    ['output.LayerNorm', 'output_layer_norm'],
  ],
  settings: {
    hidden_size: 'dim',
    num_hidden_layers: 'n_layers',
    num_attention_heads: 'n_heads',
    intermediate_size: 'hidden_dim',
    hidden_act: 'activation',
  },
  hasTypes: false,
};

/** Song et al. 2020, arXiv 2004.09297. */
const mpnet: Architecture = {
  ...roberta,
  prefix: 'mpnet.',
  names: [
    ['attention.self.query', 'attention.attn.q'],
    ['attention.self.key', 'attention.attn.k'],
    ['attention.self.value', 'attention.attn.v'],
    ['attention.output.dense', 'attention.attn.o'],
    ['attention.output.LayerNorm', 'attention.LayerNorm'],
  ],
  hasTypes: false,
  relativeBuckets: BUCKETS,
};

/** Warner et al. 2024, arXiv 2412.13663. */
const modernbert: Architecture = {
  ...bert,
  prefix: 'model.',
  names: [
    ['embeddings.word_embeddings', 'embeddings.tok_embeddings'],
    ['embeddings.LayerNorm', 'embeddings.norm'],
    ['encoder.layer.', 'layers.'],
    ['attention.self.qkv', 'attn.Wqkv'],
    ['attention.output.dense', 'attn.Wo'],
    ['attention.output.LayerNorm', 'mlp_norm'],
    ['intermediate.dense', 'mlp.Wi'],
    ['output.dense', 'mlp.Wo'],
    ['output.LayerNorm', 'next_norm'],
  ],
  settings: { hidden_act: 'hidden_activation', layer_norm_eps: 'norm_eps' },
  hasTypes: false,
  isRotary: true,
  isGated: true,
  isPreNorm: true,
  hasBiases: false,
  isFused: true,
};

/** By `model_type`. */
export const ARCHITECTURES: Record<string, Architecture> = {
  bert,
  roberta,
  'xlm-roberta': roberta,
  distilbert,
  mpnet,
  modernbert,
};

/** What a weight is called in a checkpoint, without prefix, from its name in BERT. */
export function checkpointName({ modelType, layers }: { modelType: string; layers: number }, name: string): string {
  const { names } = ARCHITECTURES[modelType];
  const renamed = names.reduce((now, [bert, own]) => now.replace(bert, own), name);
  // In ModernBERT, the norm behind a layer is the next one's first; behind the last, the model's.
  const ofNext = renamed.replace(/(\d+)\.next_norm/, (_, layer) => `${Number(layer) + 1}.attn_norm`);
  return ofNext.replace(`layers.${layers}.attn_norm`, 'final_norm');
}
