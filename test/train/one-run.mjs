// A run as a process of its own, to be killed: `node one-run.mjs '{"outputDir": …}'` says on its output what it does.
import fs from 'node:fs';
import { loadModel, RECIPES, train } from 'finetune-embedding';
import { lora } from 'finetune-embedding/extras';

const { base, pairs, outputDir, method = 'plain', checkpointSeconds = 0, ...changes } = JSON.parse(process.argv[2]);

export const METHODS = {
  plain: undefined,
  LoRA: lora({ rank: 4, alpha: 8 }),
};

const [questions, chunks] = [0, 1].map((column) => pairs.map((pair) => pair[column]));
const model = await loadModel(base);
const [before] = [(await model.embedQueries([questions[0]])).data];
const say = (what) => fs.writeSync(1, `${what}\n`);
const recipe = { ...RECIPES.best, windows: undefined, batchSize: 4, epochs: 4, learningRate: 1e-3, dropout: 0.1 };
const result = await train(model, {
  data: {
    queries: Object.fromEntries(questions.map((question, i) => [`q${i}`, question])),
    corpus: Object.fromEntries(chunks.map((chunk, i) => [`c${i}`, chunk])),
    relevantDocs: Object.fromEntries(questions.map((_, i) => [`q${i}`, [`c${i}`]])),
  },
  recipe: { ...recipe, ...changes.recipe },
  outputDir,
  seed: changes.seed ?? 1,
  evaluationSteps: 3,
  // How far the model has come from its base: each evaluation is the best so far.
  evaluate: async () => {
    const { data } = await model.embedQueries([questions[0]]);
    return Math.hypot(...data.map((value, i) => value - before[i]));
  },
  checkpointSeconds,
  variant: METHODS[method],
  onStart: (_, message) => say(`start: ${message ?? 'a new run'}`),
  onStep: ({ step }) => say(`step ${step}`),
});
say(`end: ${result.steps.length} steps, best ${result.best?.step}`);
