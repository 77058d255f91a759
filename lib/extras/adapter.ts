// In: a frozen embedder and a matrix. Out: an embedder whose question vectors the matrix turns, nearer to their chunks
// (as LlamaIndex's EmbeddingAdapterFinetuneEngine with its LinearLayer); the corpus's vectors stay valid.
import path from 'node:path';
import { readJson, writeJson } from '../common/files';
import type { Embedder, Embeddings, Matrix, OnProgress } from '../common/matrix';
import { rowProducts } from '../common/products';
import { readSafetensors, writeSafetensors } from '../model/safetensors';

const CONFIG = 'config.json';
const WEIGHTS = 'model.safetensors';
/** The matrix's name in torch.nn.Linear's state dict within LinearLayer. */
export const WEIGHT = 'linear.weight';

/** A frozen embedder whose question vectors pass through a matrix; documents are embedded by the base alone. */
export class AdaptedEmbedder implements Embedder {
  readonly name: string;

  /** @param weight [dimensions, dimensions], applied as W·q */
  constructor(
    readonly base: Embedder,
    readonly weight: Matrix,
  ) {
    this.name = `${base.name} with adapter`;
  }

  /** W·q for each question; of no particular length, which cosine does not see. */
  async embedQueries(texts: string[], onProgress?: OnProgress): Promise<Matrix> {
    const vectors = await this.base.embedQueries(texts, onProgress);
    const { weight } = this;
    if (vectors.columns !== weight.columns) {
      throw new Error(
        `The adapter takes vectors of ${weight.columns} numbers, but ${this.base.name} gives ${vectors.columns}; ` +
          'it belongs to another model.',
      );
    }
    return { data: rowProducts(vectors, weight), rows: vectors.rows, columns: weight.rows };
  }

  embedDocuments(texts: string[], onProgress?: OnProgress): Promise<Embeddings> {
    return this.base.embedDocuments(texts, onProgress);
  }
}

/**
 * Writes the matrix as `model.safetensors` (under the name of LlamaIndex's LinearLayer, `linear.weight`) and its sizes,
 * by LlamaIndex's names, as `config.json`: some hundred kilobytes beside the base model, which is not copied.
 *
 * @param folder created if needed; an adapter in it is replaced
 */
export async function saveAdapter({ base, weight }: AdaptedEmbedder, folder: string): Promise<void> {
  const config = { in_features: weight.columns, out_features: weight.rows, bias: false, base_model: base.name };
  writeJson(path.join(folder, CONFIG), config);
  const stored = { shape: [weight.rows, weight.columns], data: weight.data };
  writeSafetensors(path.join(folder, WEIGHTS), new Map([[WEIGHT, stored]]));
}

/**
 * Puts a saved adapter on the model it was trained for.
 *
 * @throws Error naming the file if it is missing or damaged, has a bias, or is not of the size that config.json says
 */
export async function loadAdapter(base: Embedder, folder: string): Promise<AdaptedEmbedder> {
  const configFile = path.join(folder, CONFIG);
  const config = readJson(configFile) as { in_features?: number; out_features?: number; bias?: boolean };
  if (config.bias) throw new Error(`${configFile}: adapters with a bias are not supported.`);
  const weightsFile = path.join(folder, WEIGHTS);
  const stored = readSafetensors(weightsFile).get(WEIGHT);
  const [rows, columns] = [config.out_features, config.in_features];
  if (stored?.shape.join() !== `${rows},${columns}`) {
    throw new Error(
      `${weightsFile}: "${WEIGHT}" is ${stored ? `[${stored.shape}]` : 'missing'}, ` +
        `but ${configFile} asks for [${rows},${columns}].`,
    );
  }
  return new AdaptedEmbedder(base, { data: stored!.data, rows: rows!, columns: columns! });
}
