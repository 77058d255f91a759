// The card of a trained model: what it holds, and when it changes or goes.
import fs from 'node:fs';
import path from 'node:path';
import { addTestResults, loadModel, saveModel, writeModelCard } from 'finetune-embedding';
import type { TrainingFacts } from 'finetune-embedding/dist/model/model-card.js';
import { replaceModel } from 'finetune-embedding/dist/model/save.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadTiny, TINY, temporaryFolder } from '../fixtures/engine';

const FACTS: TrainingFacts = {
  base: 'sentence-transformers/all-MiniLM-L6-v2',
  train: { questions: 700, chunks: 94, sha256: 'ab'.repeat(32) },
  validation: { questions: 205, chunks: 39, sha256: 'cd'.repeat(32) },
  settings: { epochs: 3, 'learning rate': 1e-4 },
  steps: 42,
  keptStep: 30,
};
const result = (retriever: string, value: number) => ({
  retriever,
  metrics: {
    'hit rate@5': { value, low: value - 0.05, high: value + 0.05 },
    'MAP@100': { value, low: 0.1, high: 0.9 },
  },
});

async function trainedFolder(prompts = { query: '', document: '' }): Promise<string> {
  const folder = path.join(temporaryFolder(), 'my-model');
  const model = await loadModel(TINY, { prompts });
  onTestFinished(() => model.dispose());
  model.search = { windows: { size: 60, stride: 20 }, windowTemperature: 0.04, bm25Weight: 0.0125 };
  await saveModel(model, folder);
  writeModelCard(folder, FACTS);
  return folder;
}
const card = (folder: string) => fs.readFileSync(path.join(folder, 'README.md'), 'utf8');

describe('the model card', () => {
  it('says what the model was made of, and how to search with its own windows', async () => {
    const text = card(await trainedFolder());
    expect(text).toMatch(
      /^---\nlibrary_name: sentence-transformers\n[\s\S]*?\nbase_model: sentence-transformers\/all-MiniLM-L6-v2\n/,
    );
    expect(text).toContain('700 questions about 94 chunks (SHA-256 abababababababab…)');
    expect(text).toContain('42 steps; the weights are those after step 30');
    expect(text).toContain('epochs 3, learning rate 0.0001');
    expect(text).toContain('range(0, max(1, len(ids) - 40), 20)');
    expect(text).toContain('(25 * cosines)');
    expect(text).toContain('a point of BM25 is worth 0.0125');
    expect(text).toContain('Not measured on test questions yet');
  });

  it('names the prompts that the model was trained with, and embeds by the methods that put them there', async () => {
    const without = card(await trainedFolder());
    expect(without).not.toContain('is read after');
    const prompted = card(await trainedFolder({ query: 'what port: ', document: '<b>`x`</b> ' }));
    const sentence =
      'A question is read after `"what port: "`, a passage after `"<b>\'x\'</b> "`, by the methods below.';
    expect(prompted).toContain(`## How to search with it\n\n${sentence}\n\nBy windows`);
    for (const text of [without, prompted])
      expect(text).toContain('model.similarity(model.encode_query(question), model.encode_document(windows))');
  });

  it("names the licence that the base's card names", async () => {
    const base = path.join(temporaryFolder(), 'base');
    fs.cpSync(TINY, base, { recursive: true });
    fs.writeFileSync(path.join(base, 'README.md'), '---\nlanguage: en\nlicense: mit\n---\n');
    const model = await loadModel(base);
    onTestFinished(() => model.dispose());
    const folder = path.join(temporaryFolder(), 'my-model');
    await replaceModel(model, folder, FACTS);
    const licensed = () => card(folder).split('\n---\n')[0].includes('\nlicense: mit\n');
    expect(licensed()).toBe(true);
    writeModelCard(folder, FACTS); // as finetune does at its end
    expect(licensed()).toBe(true);
    await saveModel(model, folder, FACTS);
    expect(licensed()).toBe(true);
    expect(card(await trainedFolder())).not.toContain('license:');
  });

  it('takes test results, in place of earlier ones, into its table and its metadata', async () => {
    const folder = await trainedFolder();
    expect(addTestResults(folder, [result('fine-tuned', 0.8)], '9 questions')).toBe(true);
    expect(addTestResults(folder, [result('fine-tuned', 0.7), result('base', 0.5)], '200 questions: "beer"')).toBe(
      true,
    );
    const [, metadata, body] = card(folder).split('---\n', 3);
    expect(metadata).toContain('value: 0.7000');
    expect(metadata).toContain('dataset: { type: unknown, name: "200 questions: \\"beer\\"" }');
    expect(metadata).not.toContain('0.8000');
    expect(body).toContain('| fine-tuned | 0.700 (0.650–0.750) | 0.700 (0.100–0.900) |');
    expect(body).toContain('| base | 0.500 (0.450–0.550) |');
    expect(body).not.toContain('Not measured');
    expect(body).toContain('## How it was trained');
  });

  it('goes when other weights are saved, but never a README of somebody’s own', async () => {
    const folder = await trainedFolder();
    await saveModel(await loadTiny(), folder);
    expect(fs.existsSync(path.join(folder, 'README.md'))).toBe(false);
    fs.writeFileSync(path.join(folder, 'README.md'), 'mine');
    await saveModel(await loadTiny(), folder);
    writeModelCard(folder, FACTS);
    expect(card(folder)).toBe('mine');
    expect(addTestResults(folder, [result('fine-tuned', 0.8)], 'x')).toBe(false);
  });
});
