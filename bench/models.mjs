// The models that are measured, as folders.
import fs from 'node:fs';
import path from 'node:path';
import random from 'finetune-embedding/dist/common/random.js';
import weights from 'finetune-embedding/dist/model/bert/weight-names.js';
import modelFiles from 'finetune-embedding/dist/model/hub/model-folder.js';
import resolve from 'finetune-embedding/dist/model/hub/resolve.js';
import safetensors from 'finetune-embedding/dist/model/safetensors.js';

const BGE_SMALL_SHAPE = {
  modelType: 'bert',
  hiddenSize: 384,
  intermediateSize: 1536,
  vocabSize: 30522,
  maxPositions: 512,
  firstPosition: 0,
  typeVocabSize: 2,
  layers: 12,
};

/** The folder of `all-MiniLM-L6-v2` or of `bge-small-shape`, which is made if it is not there. */
export async function modelFolder(name) {
  const miniLM = await resolve.resolveModel('all-MiniLM-L6-v2');
  if (name === 'all-MiniLM-L6-v2') return miniLM;
  if (name === 'bge-small-shape') return bgeSmallShape(miniLM);
  throw new Error(`No model "${name}" to measure; there are all-MiniLM-L6-v2 and bge-small-shape.`);
}

/** A BERT of bge-small's shape with random weights, CLS pooling, and the vocabulary that it shares with MiniLM. */
function bgeSmallShape(miniLM) {
  const folder = path.resolve('.cache/bench/bge-small-shape');
  const file = path.join(folder, 'model.safetensors');
  if (fs.existsSync(file)) return folder;
  fs.mkdirSync(path.join(folder, '1_Pooling'), { recursive: true });
  modelFiles.copySettings(miniLM, folder);
  const config = JSON.parse(fs.readFileSync(path.join(miniLM, 'config.json'), 'utf8'));
  const writeJson = (name, content) => fs.writeFileSync(path.join(folder, name), JSON.stringify(content));
  writeJson('config.json', { ...config, num_hidden_layers: BGE_SMALL_SHAPE.layers });
  writeJson('sentence_bert_config.json', { max_seq_length: 512, do_lower_case: false });
  writeJson('1_Pooling/config.json', {
    word_embedding_dimension: BGE_SMALL_SHAPE.hiddenSize,
    pooling_mode_cls_token: true,
    pooling_mode_mean_tokens: false,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  });
  safetensors.writeSafetensors(file, randomWeights());
  return folder;
}

/** Normal of deviation 0.02 as a fresh BERT's; LayerNorm at 1, biases at 0. */
function randomWeights() {
  const next = random.seededRandom(1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const stored = new Map();
  for (const [name, shape] of weights.weightShapes(BGE_SMALL_SHAPE)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    if (name.endsWith('LayerNorm.weight')) data.fill(1);
    else if (!name.endsWith('.bias')) for (let i = 0; i < data.length; i++) data[i] = 0.02 * normal();
    stored.set(name, { shape, data });
  }
  return stored;
}
