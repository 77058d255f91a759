// Encoders beside BERT, as sentence-transformers on PyTorch computes them: word pieces, embeddings, the gradient of every
// weight, five steps of training; and what is saved of them, for Python and for transformers.js.
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from '@huggingface/transformers';
import { type EmbeddingModel, loadModel, loadTokenizer, saveModel, tf, train } from 'finetune-embedding';
import {
  type AttentionSettings,
  attention,
  attentionGradient,
  negativeRowSums,
} from 'finetune-embedding/dist/model/bert/attention.js';
import { distanceBucket } from 'finetune-embedding/dist/model/bert/distance-bucket.js';
import { packSequences } from 'finetune-embedding/dist/model/bert/packing.js';
import { relativeBias } from 'finetune-embedding/dist/model/bert/relative-position.js';
import { RELATIVE_BIAS } from 'finetune-embedding/dist/model/bert/weight-names.js';
import { readSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { storedWeights } from 'finetune-embedding/dist/model/save.js';
import { loadSearchModel } from 'finetune-embedding/search';
import { describe, expect, it, onTestFinished } from 'vitest';
import { editJson, pairsAsData, relativeError, temporaryFolder, texts } from '../fixtures/engine';
import { options } from '../train/five-steps';
import { allWeights, checkpointGradients, firstBatch, norm } from '../train/helpers';

interface Reference {
  embedded: string[];
  /** `[texts, 16]` */
  embeddings: number[];
  tokenized: string[];
  /** By the length that texts are cut to. */
  tokens: Record<string, number[][]>;
  /** None for xlm-roberta, which is roberta's body. */
  loss?: number;
  losses: number[];
}

const folderOf = (kind: string) => path.resolve(`test/fixtures/tiny-${kind}`);
const referenceOf = (kind: string): Reference =>
  JSON.parse(fs.readFileSync(path.join(folderOf(kind), 'reference.json'), 'utf8'));
const weightsOf = (kind: string, name: string) => readSafetensors(path.join(folderOf(kind), `${name}.safetensors`));

async function load(folder: string): Promise<EmbeddingModel> {
  const model = await loadModel(folder);
  onTestFinished(() => model.dispose());
  return model;
}

const embed = async (model: EmbeddingModel, kind: string) =>
  (await model.embedQueries(referenceOf(kind).embedded)).data;

/** Its gradient is 0 but for rounding, as in BERT. */
const isKeyBias = (name: string) => /\.(key|k|k_lin)\.bias$/.test(name);

describe.each(['roberta', 'xlm-roberta', 'distilbert', 'mpnet', 'modernbert'])('%s', (kind) => {
  const reference = referenceOf(kind);

  it('reads texts as Python does, cut at any length', () => {
    const tokenizer = loadTokenizer(folderOf(kind));
    for (const [length, expected] of Object.entries(reference.tokens)) {
      const own = reference.tokenized.map((text) => [...tokenizer.encode(text, Number(length))]);
      for (const [i, text] of reference.tokenized.entries()) {
        // transformers.js takes the joiner within an emoji for a space, sentencepiece's map nmt_nfkc keeps it.
        if (kind !== 'xlm-roberta' || !text.includes('\u200d')) expect(own[i], text).toEqual(expected[i]);
      }
    }
  });

  it('takes a prompt before a text', () => {
    const tokenizer = loadTokenizer(folderOf(kind));
    const prompted = tokenizer.withPrompt('ask: ');
    expect([...prompted.encode('the port', 64)]).toEqual([...tokenizer.encode('ask: the port', 64)]);
    const { before } = prompted.around;
    expect(before).toEqual([...tokenizer.encode('ask: the port', 64)].slice(0, before.length));
    expect(tokenizer.pieces(before).join('')).toMatch(/:$/);
    // Byte pairs do not tell whether a piece begins a word.
    if (!['roberta', 'modernbert'].includes(kind))
      expect(() => tokenizer.withPrompt('ask')).toThrow(/runs into the text/);
  });

  it('embeds texts as sentence-transformers does', async () => {
    const model = await load(folderOf(kind));
    expect(model.maxSeqLength).toBe(64);
    expect(relativeError(await embed(model, kind), reference.embeddings)).toBeLessThan(1e-5);
  });

  it('is saved under its own names, and gives the same vectors when loaded again', async () => {
    const folder = path.join(temporaryFolder(), 'saved');
    await saveModel(await load(folderOf(kind)), folder);
    const [own, base] = [readSafetensors(path.join(folder, 'model.safetensors')), weightsOf(kind, 'model')];
    expect([...own.keys()].sort()).toEqual([...base.keys()].sort());
    for (const [name, { data }] of base) expect(own.get(name)!.data, name).toEqual(data);
    expect(relativeError(await embed(await load(folder), kind), reference.embeddings)).toBeLessThan(1e-5);
  });

  it('gives the same vectors in transformers.js', async () => {
    const folder = path.join(temporaryFolder(), 'saved');
    const model = await load(folderOf(kind));
    await saveModel(model, folder);
    const extractor = await pipeline('feature-extraction', folder, { dtype: 'fp32', local_files_only: true });
    const pooling = model.encoder.pooling.mode as 'mean' | 'cls';
    // Of a text that is cut transformers.js loses the special token at the end.
    const whole = reference.embedded.filter((text) => model.tokenizer.encodeWhole(text).length <= 62);
    expect(whole.length).toBeGreaterThan(5);
    const vectors = await extractor(whole, { pooling, normalize: true });
    await extractor.dispose();
    const expected = whole.flatMap((text) => {
      const row = reference.embedded.indexOf(text);
      return reference.embeddings.slice(16 * row, 16 * (row + 1));
    });
    expect(relativeError(vectors.data as Float32Array, expected)).toBeLessThan(1e-5);
    const { vectors: inInt8 } = await (await loadSearchModel(folder, { dtype: 'int8' })).embedDocuments(whole);
    expect(relativeError(inInt8.data, expected)).toBeLessThan(0.06);
  });
});

describe("BERT's body with XLM-RoBERTa's tokenizer, as multilingual-e5-small has it", () => {
  it('is trained, saved, and gives the same vectors in transformers.js', async () => {
    const base = path.join(temporaryFolder(), 'base');
    fs.cpSync(folderOf('xlm-roberta'), base, { recursive: true });
    editJson<object>(base, 'config.json', (config) => Object.assign(config, { model_type: 'bert' }));
    const model = await load(base);
    const settings = options();
    const { steps } = await train(model, settings);
    expect(steps.map(({ loss }) => Number.isFinite(loss))).toEqual(Array(5).fill(true));
    const trained = await load(settings.outputDir);
    const asked = ['Die Fähre legt ab.', '海と漁業', 'the port'];
    const { data } = await trained.embedQueries(asked);
    const extractor = await pipeline('feature-extraction', settings.outputDir, {
      dtype: 'fp32',
      local_files_only: true,
    });
    const vectors = await extractor(asked, { pooling: 'cls', normalize: true });
    await extractor.dispose();
    expect(relativeError(vectors.data as Float32Array, data)).toBeLessThan(1e-5);
  });
});

describe.each(['roberta', 'distilbert', 'mpnet', 'modernbert'])('training %s', (kind) => {
  const reference = referenceOf(kind);

  it('has the gradient of every weight as PyTorch', async () => {
    const model = await load(folderOf(kind));
    const { loss, gradients } = checkpointGradients(model, firstBatch(model, pairsAsData(texts.tinyPairs), 8));
    expect(Math.abs(loss / reference.loss! - 1)).toBeLessThan(1e-5);
    const expected = weightsOf(kind, 'gradients');
    expect([...gradients.keys()].sort()).toEqual([...expected.keys()].sort());
    const largest = Math.max(...[...expected.values()].map(({ data }) => norm(data)));
    for (const [name, { data }] of expected) {
      if (isKeyBias(name)) expect(norm(gradients.get(name)!.data) / largest, name).toBeLessThan(1e-6);
      else expect(relativeError(gradients.get(name)!.data, data), name).toBeLessThan(1e-5);
    }
  });

  it('takes five steps as sentence-transformers does', async () => {
    const model = await load(folderOf(kind));
    const { steps } = await train(model, options());
    const losses = steps.map(({ loss }) => loss);
    expect(relativeError(losses, reference.losses)).toBeLessThan(1e-5);
    const [own, base] = [storedWeights(model), weightsOf(kind, 'model')];
    for (const [name, { data }] of weightsOf(kind, 'after-5-steps')) {
      const move = (values: Float32Array) => values.map((value, i) => value - base.get(name)!.data[i]);
      if (isKeyBias(name)) continue;
      expect(relativeError(own.get(name)!.data, data), name).toBeLessThan(1e-5);
      expect(relativeError(move(own.get(name)!.data), move(data)), name).toBeLessThan(0.02);
    }
  });
});

describe("MPNet's bias by distance", () => {
  it('has one gradient, whether sequences attend in one group or in several', async () => {
    const model = await load(folderOf('mpnet'));
    const sequences = texts.tinyPairs.slice(0, 6).map(([question]) => model.tokenizer.encode(question, 64));
    const together = packSequences(sequences);
    expect(together.groups).toHaveLength(1);
    const ofTexts = together.groups[0].lengths.filter((length) => length > 0); // the others fill it up
    const apart = ofTexts.map((length, i, lengths) => {
      const start = lengths.slice(0, i).reduce((sum, own) => sum + own, 0);
      return { start, rows: length, length, lengths: [length] };
    });
    const [one, several] = [together, { ...together, groups: apart }].map((batch) => {
      const { embeddings, activations } = model.encoder.forward(allWeights(model), batch);
      const dEmbeddings = tf.cos(tf.mul(embeddings, 3)) as tf.Tensor2D;
      return model.encoder.backward(allWeights(model), activations, dEmbeddings).get(RELATIVE_BIAS)!.dataSync();
    });
    expect(relativeError(several, one)).toBeLessThan(1e-5);
  });

  it('has the buckets of transformers, keys behind a query in the second half', () => {
    // MPNetEncoder.relative_position_bucket(torch.tensor([...]))
    const offsets = [0, 1, 7, 8, 11, 12, 15, 16, 31, 32, 63, 64, 127, 128, 500];
    const ahead = [0, 17, 23, 24, 24, 25, 25, 26, 27, 28, 29, 30, 31, 31, 31];
    expect(offsets.map(distanceBucket)).toEqual(ahead);
    expect(offsets.slice(1).map((offset) => distanceBucket(-offset))).toEqual(ahead.slice(1).map((id) => id - 16));
  });
});

describe('attention', () => {
  const [heads, length, d] = [2, 900, 4]; // long enough for a block a head
  const frequencies = [1, 0.03];
  const distance = (a: number, b: number) => Math.abs(a - b);
  const places = Array.from({ length }, (_, i) => i);
  /** −∞ beyond 64 tokens to either side. */
  const far = () => tf.tensor2d(places.map((a) => places.map((b) => (distance(a, b) > 64 ? -1e30 : 0))));
  /** As complex numbers (x[i], x[i + d/2]) times exp(i · position · frequency): [heads, length, d] */
  const turned = (x: tf.Tensor) => {
    const [real, imaginary] = tf.split(x, 2, 2);
    const angles = tf.outerProduct(places, frequencies);
    const [cos, sin] = [tf.cos(angles), tf.sin(angles)];
    return tf.concat([real.mul(cos).sub(imaginary.mul(sin)), real.mul(sin).add(imaginary.mul(cos))], 2);
  };

  it.each([
    ['by distance, as in MPNet', (bias: tf.Tensor) => ({ table: bias as tf.Tensor2D })],
    ['by rotation, as in ModernBERT', () => ({ rotary: { frequencies, reach: Number.POSITIVE_INFINITY } })],
    ['by rotation, of what is near', () => ({ rotary: { frequencies, reach: 64 } })],
  ])('and its gradient are as TensorFlow.js differentiates them, block by block: %s', (_, settingsOf) => {
    tf.tidy(() => {
      const qkv = tf.randomNormal([length, 3 * heads * d], 0, 1, 'float32', 1) as tf.Tensor2D;
      const table = tf.randomNormal([32, heads], 0, 1, 'float32', 2) as tf.Tensor2D;
      const dContext = tf.randomNormal([length, heads * d], 0, 1, 'float32', 3) as tf.Tensor2D;
      const settings: AttentionSettings = settingsOf(table);
      const attend = (packed: tf.Tensor, bias: tf.Tensor) => {
        const [ownQ, ownK, v] = packed.reshape([length, 3, heads, d]).transpose([1, 2, 0, 3]).unstack(); // [heads, length, d]
        const [q, k] = settings.rotary ? [turned(ownQ), turned(ownK)] : [ownQ, ownK];
        const products = tf.matMul(q, k, false, true).div(Math.sqrt(d));
        const scores = settings.table ? products.add(relativeBias(bias as tf.Tensor2D, length)) : products;
        const seen = settings.rotary?.reach === 64 ? scores.add(far()) : scores;
        return tf
          .matMul(seen.softmax(), v)
          .transpose([1, 0, 2])
          .reshape([length, heads * d]);
      };
      const group = { start: 0, rows: length, length, lengths: [length] };
      const { context, saved } = attention(qkv, heads, group, settings);
      expect(relativeError(context.dataSync(), attend(qkv, table).dataSync())).toBeLessThan(1e-5);
      const dRows = negativeRowSums(dContext, context, heads);
      const { dqkv, dTable } = attentionGradient(dContext, dRows, heads, group, saved, settings);
      // tf.grads wants a value that depends on both.
      const expected = tf.grads((a, b) => attend(a, b).add(b.sum().mul(0)).mul(dContext).sum())([qkv, table]);
      expect(relativeError(dqkv.dataSync(), expected[0].dataSync())).toBeLessThan(1e-5);
      expect(dTable !== undefined).toBe(settings.table !== undefined);
      if (dTable) expect(relativeError(dTable.dataSync(), expected[1].dataSync())).toBeLessThan(1e-5);
    });
  });
});
