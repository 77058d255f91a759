// In: a BERT-family encoder's config and weights. Out: the encoder (Devlin et al. 2019, arXiv 1810.04805) as a
// model.onnx file, written part by part. Shapes: B sequences of S tokens, H hidden units in A heads of D = H / A.
import { writeWhole } from '../../common/files';
import type { EncoderConfig } from '../config';
import type { StoredTensor } from '../safetensors';
import { Graph } from './graph';
import { byteLength, ELEMENT_TYPES, type Message, valueInfo } from './messages';

const PROTOBUF_LIMIT = 2 ** 31 - 1;

/** As in PyTorch: the lowest float added to a masked score, which leaves exp(score) = 0. */
const LOWEST_FLOAT = -3.4028234663852886e38;

/**
 * Writes a BERT-family encoder as ONNX (operator set 17, 32-bit floats): inputs `input_ids`, `attention_mask` and
 * `token_type_ids`, int64 [batch, sequence]; output `last_hidden_state`, float [batch, sequence, hidden]. As
 * `onnx/model.onnx` in a model folder it is what transformers.js and onnxruntime load; pooling is left to them.
 *
 * The file appears whole or not at all. Beyond the weights themselves, memory holds a few of them at a time.
 *
 * @param model `config` as in `model.encoder`; `weights` are PyTorch's, by name (`encoder.layer.0.…`, or
 *   `bert.encoder.…`), a linear layer's as [out, in]
 * @param file where to write; missing folders are made
 * @throws Error if a weight is missing or has another shape than the config says, or if the file would exceed
 *   protobuf's 2 GB; nothing is written then
 */
export async function exportOnnx(
  model: { config: EncoderConfig; weights: ReadonlyMap<string, StoredTensor> },
  file: string,
): Promise<void> {
  const prefix = model.weights.has('bert.embeddings.word_embeddings.weight') ? 'bert.' : '';
  const encoder = new Encoder(model.config, new Graph(model.weights), prefix);
  let hidden = encoder.embeddings();
  for (let layer = 0; layer < model.config.layers; layer++) hidden = encoder.layer(layer, hidden);
  const message = encoder.finish(hidden);
  if (byteLength(message) > PROTOBUF_LIMIT) {
    throw new Error(
      `Cannot export to ONNX: ${file} would take ${byteLength(message)} bytes, and one ONNX file holds at most ` +
        `${PROTOBUF_LIMIT}. Take a smaller base model, or use the model.safetensors of the same folder.`,
    );
  }
  writeWhole(file, bytesOf(message), true);
}

function* bytesOf(message: Message): Generator<Uint8Array> {
  for (const part of message) yield part instanceof Uint8Array ? part : part.bytes();
}

class Encoder {
  private readonly one: string;
  private readonly half: string;
  private readonly sqrt2: string;
  private readonly scale: string;
  private readonly splitHeads: string;
  private readonly joinHeads: string;
  private readonly maskBias: string;

  constructor(
    private readonly config: EncoderConfig,
    private readonly graph: Graph,
    private readonly prefix: string,
  ) {
    const { hiddenSize: H, heads: A } = config;
    this.one = graph.scalar('one', 1);
    this.half = graph.scalar('half', 0.5);
    this.sqrt2 = graph.scalar('sqrt2', Math.SQRT2);
    this.scale = graph.scalar('attention_scale', 1 / Math.sqrt(H / A));
    // In a Reshape, 0 keeps a size.
    this.splitHeads = graph.integers('split_heads', [0, 0, A, H / A]);
    this.joinHeads = graph.integers('join_heads', [0, 0, H]);
    this.maskBias = this.attentionMask();
  }

  // [B, S] of 1 (token) and 0 (padding) → [B, 1, 1, S] of 0 and the lowest float
  private attentionMask(): string {
    const { graph } = this;
    const mask = graph.add('Cast', ['attention_mask'], { to: { int: ELEMENT_TYPES.float32 } });
    const perHead = graph.add('Unsqueeze', [mask, graph.integers('head_and_query_axes', [1, 2])]);
    const padding = graph.add('Sub', [this.one, perHead]);
    return graph.add('Mul', [padding, graph.scalar('lowest_float', LOWEST_FLOAT)]);
  }

  // [B, S] ids → [B, S, H]
  embeddings(): string {
    const { config, graph } = this;
    const table = (name: string, rows: number) =>
      graph.weight(`${this.prefix}embeddings.${name}_embeddings.weight`, [rows, config.hiddenSize]);
    const words = graph.add('Gather', [table('word', config.vocabSize), 'input_ids']);
    const types = graph.add('Gather', [table('token_type', config.typeVocabSize), 'token_type_ids']);
    const length = graph.add('Shape', ['input_ids'], { start: { int: 1 }, end: { int: 2 } });
    const positions = graph.add('Slice', [
      table('position', config.maxPositions),
      graph.integers('first_position', [0]),
      length,
    ]);
    const sum = graph.add('Add', [graph.add('Add', [words, types]), positions]);
    return this.layerNorm(`${this.prefix}embeddings.LayerNorm`, sum);
  }

  // [B, S, H] → [B, S, H]
  layer(index: number, hidden: string): string {
    const { hiddenSize: H, intermediateSize: I } = this.config;
    const name = `${this.prefix}encoder.layer.${index}`;
    const context = this.attention(`${name}.attention.self`, hidden);
    const attended = this.graph.add('Add', [this.linear(`${name}.attention.output.dense`, context, H, H), hidden]);
    const normed = this.layerNorm(`${name}.attention.output.LayerNorm`, attended);
    const inner = this.gelu(this.linear(`${name}.intermediate.dense`, normed, H, I));
    const outer = this.graph.add('Add', [this.linear(`${name}.output.dense`, inner, I, H), normed]);
    const last = index === this.config.layers - 1;
    return this.layerNorm(`${name}.output.LayerNorm`, outer, last ? 'last_hidden_state' : undefined);
  }

  finish(output: string): Message {
    const ids = ['input_ids', 'attention_mask', 'token_type_ids'];
    return this.graph.toModel(
      ids.map((name) => valueInfo(name, 'int64', ['batch', 'sequence'])),
      [valueInfo(output, 'float32', ['batch', 'sequence', this.config.hiddenSize])],
    );
  }

  // softmax(Q Kᵀ / √D + mask) V, head by head (Vaswani et al. 2017, section 3.2)
  private attention(name: string, hidden: string): string {
    const { graph } = this;
    const H = this.config.hiddenSize;
    const heads = (part: string, perm: number[]) => {
      const projected = this.linear(`${name}.${part}`, hidden, H, H);
      return graph.add('Transpose', [graph.add('Reshape', [projected, this.splitHeads])], { perm: { ints: perm } });
    };
    const query = heads('query', [0, 2, 1, 3]); // [B, A, S, D]
    const key = heads('key', [0, 2, 3, 1]); // [B, A, D, S]
    const value = heads('value', [0, 2, 1, 3]); // [B, A, S, D]
    const scores = graph.add('Mul', [graph.add('MatMul', [query, key]), this.scale]); // [B, A, S, S]
    const weights = graph.add('Softmax', [graph.add('Add', [scores, this.maskBias])], { axis: { int: -1 } });
    const context = graph.add('MatMul', [weights, value]); // [B, A, S, D]
    const rows = graph.add('Transpose', [context], { perm: { ints: [0, 2, 1, 3] } });
    return graph.add('Reshape', [rows, this.joinHeads]); // [B, S, H]
  }

  private linear(name: string, input: string, from: number, to: number): string {
    const product = this.graph.add('MatMul', [input, this.graph.transposedWeight(`${name}.weight`, [to, from])]);
    return this.graph.add('Add', [product, this.graph.weight(`${name}.bias`, [to])]);
  }

  // The exact GELU, x Φ(x) = x (1 + erf(x / √2)) / 2 (Hendrycks & Gimpel 2016)
  private gelu(x: string): string {
    const { graph } = this;
    const erf = graph.add('Erf', [graph.add('Div', [x, this.sqrt2])]);
    return graph.add('Mul', [graph.add('Mul', [x, graph.add('Add', [erf, this.one])]), this.half]);
  }

  private layerNorm(name: string, input: string, output?: string): string {
    const H = this.config.hiddenSize;
    const parameters = [this.graph.weight(`${name}.weight`, [H]), this.graph.weight(`${name}.bias`, [H])];
    const attributes = { axis: { int: -1 }, epsilon: { float: this.config.layerNormEps } };
    return this.graph.add('LayerNormalization', [input, ...parameters], attributes, output);
  }
}
