// Training with prompts is training on texts that begin with them, and moves the prompts' own words.
import { evaluateEmbedder, loadModel, train } from 'finetune-embedding';
import { storedWeights } from 'finetune-embedding/dist/model/save.js';
import { lora } from 'finetune-embedding/extras';
import { expect, it, onTestFinished } from 'vitest';
import { pairsAsData, TINY, tensorsOf, texts } from '../fixtures/engine';
import { FIVE_STEPS, options } from './five-steps';

const PROMPTS = { query: 'Zebra: ', document: 'Quartz: ' };
const data = pairsAsData(texts.tinyPairs);
const after = (prompt: string, all: Record<string, string>) =>
  Object.fromEntries(Object.entries(all).map(([id, text]) => [id, prompt + text]));
const written = { ...data, queries: after(PROMPTS.query, data.queries), corpus: after(PROMPTS.document, data.corpus) };

async function trained(settings: Parameters<typeof options>[0], prompts?: typeof PROMPTS) {
  const model = await loadModel(TINY, { prompts });
  onTestFinished(() => model.dispose());
  const { steps } = await train(model, options({ recipe: { ...FIVE_STEPS, learningRate: 1e-3 }, ...settings }));
  return { model, losses: steps.map(({ loss }) => loss), weights: tensorsOf(storedWeights(model)) };
}

it.each([
  ['all weights', undefined],
  ['LoRA', lora({ rank: 2, alpha: 4 })],
])('gives the losses and weights of texts that begin with them: %s', async (_, variant) => {
  const prompted = await trained({ data, variant }, PROMPTS);
  const plain = await trained({ data: written, variant });
  expect(prompted.losses).toEqual(plain.losses);
  expect(prompted.weights).toEqual(plain.weights);
  const { rankings } = await evaluateEmbedder(prompted.model, data);
  expect(rankings).toEqual((await evaluateEmbedder(plain.model, written)).rankings);
  expect(prompted.losses).not.toEqual((await trained({ data, variant })).losses);
});

it('with windows, moves the words of both prompts, which no text holds', async () => {
  const recipe = { ...FIVE_STEPS, learningRate: 1e-3, windows: { size: 12, stride: 12 } };
  const { model, weights } = await trained({ data, recipe }, PROMPTS);
  const untrained = await loadModel(TINY);
  onTestFinished(() => untrained.dispose());
  const [after, before] = [weights, storedWeights(untrained)].map(
    (all) => all.get('embeddings.word_embeddings.weight')!.data,
  );
  const own = [model.queryTokenizer, model.documentTokenizer].flatMap(({ around }) => around.before.slice(1));
  const inTexts = new Set(
    [...Object.values(data.queries), ...Object.values(data.corpus)].flatMap((text) => [
      ...model.tokenizer.encodeWhole(text),
    ]),
  );
  const alone = own.filter((id) => !inTexts.has(id));
  expect(alone.length).toBeGreaterThan(0);
  const moved = (id: number) => {
    const changes = after.slice(32 * id, 32 * (id + 1)).map((value, i) => Math.abs(value - before[32 * id + i]));
    return Math.max(...changes);
  };
  for (const id of alone) expect(moved(id)).toBeGreaterThan(1e-4); // by weight decay alone, some 1e-5
});
