// What a run leaves behind when it is stopped, what it goes on from, and what it refuses to; in one process.
import fs from 'node:fs';
import path from 'node:path';
import { type EmbeddingModel, loadModel, type TrainOptions, tf, train } from 'finetune-embedding';
import { sha256 } from 'finetune-embedding/dist/common/ids.js';
import { describe, expect, it } from 'vitest';
import { copyOfTiny, loadTiny, pairsAsData, TINY, temporaryFolder, texts } from '../fixtures/engine';
import { FIVE_STEPS, isWeightsOf, options, scores } from './five-steps';

const SETTINGS = { recipe: { ...FIVE_STEPS, dropout: 0.1, learningRate: 1e-3 }, checkpointSeconds: 0 };
const weights = (folder: string) => fs.readFileSync(path.join(folder, 'model.safetensors'));

/** A run, what it said at its start, and the model that it left. */
async function run(changes: Partial<TrainOptions>, stopAfter?: number, prompts?: EmbeddingModel['prompts']) {
  const stop = new AbortController();
  let message: string | undefined;
  const settings = options({
    ...SETTINGS,
    evaluate: scores(0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
    ...changes,
    onStart: (_, said) => {
      message = said;
    },
    onStep: ({ step }) => step === stopAfter && stop.abort(),
    signal: stop.signal,
  });
  const model = prompts ? await loadModel(TINY, { prompts }) : await loadTiny();
  const result = await train(model, settings);
  return { ...result, message, model, outputDir: settings.outputDir, run: path.join(settings.outputDir, '.run') };
}

describe('a run that is stopped', () => {
  it('goes on to the same bytes, its curve whole; a run that ended starts anew', async () => {
    const whole = await run({ checkpointSeconds: 1000 });
    const stopped = await run({}, 2);
    const { outputDir } = stopped;
    const rest = await run({ outputDir, evaluate: scores(0.4, 0.5, 0.6) });
    expect(rest.message).toBe('going on from step 2 of 5');
    const course = ({ steps, evaluations }: typeof rest) => [
      steps.map(({ milliseconds: _, ...step }) => step),
      evaluations.map(({ milliseconds: _, ...evaluation }) => evaluation),
    ];
    expect(course(rest)).toEqual(course(whole));
    expect(rest.best).toMatchObject({ step: 5, score: 0.6 });
    expect(weights(outputDir).equals(weights(whole.outputDir))).toBe(true);
    expect(await isWeightsOf(outputDir, rest.model)).toBe(true);
    const again = await run({ outputDir });
    expect(again.message).toBeUndefined();
    expect(again.steps).toHaveLength(5);
    expect(weights(outputDir).equals(weights(whole.outputDir))).toBe(true);
  });

  it('also where the last weights are kept, and the best is one from before the stop', async () => {
    const last = await run({ evaluate: undefined });
    const { outputDir } = await run({ evaluate: undefined }, 3);
    await run({ evaluate: undefined, outputDir });
    expect(weights(outputDir).equals(weights(last.outputDir))).toBe(true);

    const early = await run({ evaluate: scores(0.1, 0.9, 0.2) });
    const stopped = await run({ evaluate: scores(0.1, 0.9, 0.2) }, 3);
    const rest = await run({ evaluate: scores(0.2), outputDir: stopped.outputDir });
    expect(rest.best).toMatchObject({ step: 1, score: 0.9 });
    expect(weights(rest.outputDir).equals(weights(early.outputDir))).toBe(true);
  });

  it('keeps two checkpoints and the best models that they name, and scores that are no numbers', async () => {
    const { run: folder, outputDir } = await run({ evaluate: scores(0.1, 0.9, Number.NaN) }, 4);
    const files = [
      'best-1',
      ...[3, 4].flatMap((step) => [`checkpoint-${step}.json`, `checkpoint-${step}.safetensors`]),
    ];
    expect(fs.readdirSync(folder).sort()).toEqual([...files, 'placed']);
    const rest = await run({ evaluate: scores(0.5), outputDir });
    expect(rest.evaluations.map(({ score }) => score)).toEqual([0.1, 0.9, Number.NaN, Number.NaN, Number.NaN, 0.5]);
    expect(fs.existsSync(folder)).toBe(false);
  });

  it('starts from the base again in the same kernel, whatever the model holds', async () => {
    const model = await loadTiny();
    const first = options(SETTINGS);
    await train(model, first);
    const second = options(SETTINGS);
    const before = tf.memory().numTensors;
    await train(model, second);
    expect(weights(second.outputDir).equals(weights(first.outputDir))).toBe(true);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a checkpoint', () => {
  const withMore = pairsAsData([...texts.tinyPairs, ['Is there more?', 'There is one more chunk.']]);
  it.each<[string, Partial<TrainOptions>]>([
    ['EPOCHS changed', { recipe: { ...SETTINGS.recipe, epochs: 2 } }],
    ['BATCH_SIZE and DROPOUT changed', { recipe: { ...SETTINGS.recipe, batchSize: 5, dropout: 0.2 } }],
    ['SEED changed', { seed: 2 }],
    ['EVALUATION_STEPS changed', { evaluationSteps: 2 }],
    ['the training data changed', { data: withMore }],
    ['the validation data changed', { scoresDependOn: { 'the validation data': 'other' } }],
    ['the method of training changed', { variant: (method) => ({ ...method, name: 'another' }) }],
  ])('is not gone on from where %s, and the run says so', async (reason, change) => {
    const { outputDir } = await run({}, 2);
    const anew = await run({ ...change, outputDir });
    expect(anew.message).toBe(`starting anew, because ${reason}`);
    expect(anew.evaluations[0].step).toBe(0);
    const alone = await run(change);
    expect(weights(outputDir).equals(weights(alone.outputDir))).toBe(true);
  });

  it('is not gone on from with another prompt', async () => {
    const prompts = { query: 'what port: ', document: '' };
    const { outputDir } = await run({}, 2, prompts);
    expect((await run({ outputDir }, 3)).message).toBe('starting anew, because QUERY_PROMPT changed');
    const anew = await run({ outputDir }, 4, { ...prompts, document: 'the loss: ' });
    expect(anew.message).toBe('starting anew, because QUERY_PROMPT and DOCUMENT_PROMPT changed');
    const goingOn = await run({ outputDir }, undefined, { ...prompts, document: 'the loss: ' });
    expect(goingOn.message).toBe('going on from step 4 of 5');
  });

  it('is not gone on from with another base, or another version of this library', async () => {
    const { outputDir, run: folder } = await run({}, 2);
    const other = copyOfTiny((copy) => {
      const file = path.join(copy, 'model.safetensors');
      const bytes = fs.readFileSync(file);
      bytes[bytes.length - 3] ^= 1;
      fs.writeFileSync(file, bytes);
    });
    const said: (string | undefined)[] = [];
    const stopped = new AbortController();
    stopped.abort();
    const start = async (base: string) => {
      const model = await loadModel(base);
      const settings = options({ ...SETTINGS, evaluate: scores(0.1), outputDir, signal: stopped.signal });
      await train(model, { ...settings, onStart: (_, message) => said.push(message) });
      model.dispose();
    };
    await start(other);
    for (const step of [1, 2]) {
      const file = path.join(folder, `checkpoint-${step}.json`);
      const { sha256: _, ...checkpoint } = JSON.parse(fs.readFileSync(file, 'utf8'));
      checkpoint.conditions['the version of this library'] = '0.0.0';
      fs.writeFileSync(file, JSON.stringify({ ...checkpoint, sha256: sha256(JSON.stringify(checkpoint)) }));
    }
    await start(path.resolve('test/fixtures/tiny-bert'));
    expect(said).toEqual([
      'starting anew, because the base model changed',
      'starting anew, because the version of this library changed',
    ]);
  });

  it('of other settings stays until the new run has one of its own: who changes the setting back goes on', async () => {
    const { outputDir } = await run({}, 2);
    const stopped = AbortSignal.abort();
    await train(await loadTiny(), options({ ...SETTINGS, seed: 2, outputDir, evaluate: scores(0), signal: stopped }));
    expect((await run({ outputDir, evaluate: scores(0.4, 0.5, 0.6) })).message).toBe('going on from step 2 of 5');
  });

  const damage: [string, (folder: string, step: number) => void][] = [
    ['cut short', (folder, step) => fs.truncateSync(path.join(folder, `checkpoint-${step}.safetensors`), 5000)],
    ['missing', (folder, step) => fs.rmSync(path.join(folder, `checkpoint-${step}.safetensors`))],
    [
      'with one bit turned',
      (folder, step) => {
        const file = path.join(folder, `checkpoint-${step}.safetensors`);
        const bytes = fs.readFileSync(file);
        bytes[bytes.length - 10] ^= 4;
        fs.writeFileSync(file, bytes);
      },
    ],
    [
      'with another number in its record',
      (folder, step) => {
        const file = path.join(folder, `checkpoint-${step}.json`);
        fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"decay":0.9', '"decay":0.8'));
      },
    ],
    ['without its best model', (folder, step) => fs.rmSync(path.join(folder, `best-${step}`), { recursive: true })],
  ];
  it.each(damage)('that is damaged gives way to the one before, and the run says so: %s', async (_, spoil) => {
    const whole = await run({});
    const { outputDir, run: folder } = await run({}, 3);
    spoil(folder, 3);
    const rest = await run({ outputDir, evaluate: scores(0.4, 0.5, 0.6, 0.7) });
    expect(rest.message).toBe('going on from step 2 of 5; the checkpoint of step 3 cannot be read');
    expect(weights(outputDir).equals(weights(whole.outputDir))).toBe(true);
  });

  it('is told of where both are damaged, and the run starts anew', async () => {
    const { outputDir, run: folder } = await run({}, 2);
    for (const step of [1, 2]) fs.writeFileSync(path.join(folder, `checkpoint-${step}.json`), '{');
    const { message, steps } = await run({ outputDir });
    expect(message).toBe('starting anew, because the checkpoint of step 2 and the checkpoint of step 1 cannot be read');
    expect(steps).toHaveLength(5);
  });
});

describe('the model that was there before', () => {
  const files = (folder: string) =>
    Object.fromEntries(
      fs
        .readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes('.run'))
        .map(({ parentPath, name }) => [
          path.join(parentPath, name),
          fs.readFileSync(path.join(parentPath, name), 'hex'),
        ]),
    );
  const outputDirOfEarlier = async () => {
    const earlier = await run({ card: FACTS });
    fs.writeFileSync(path.join(earlier.outputDir, 'notes.txt'), 'mine');
    return { outputDir: earlier.outputDir, before: files(earlier.outputDir) };
  };
  const FACTS = {
    base: 'tiny',
    train: { questions: 20, chunks: 20, sha256: 'a' },
    validation: { questions: 20, chunks: 20, sha256: 'b' },
    settings: { epochs: 1 },
  };

  it('stays, every file of it, where nothing is better than the base, or the rate ruins all', async () => {
    const { outputDir, before } = await outputDirOfEarlier();
    const worse = await run({ outputDir, evaluate: scores(0.9, 0.1), card: FACTS });
    expect([worse.placed, worse.best?.step]).toEqual([false, 0]);
    expect(files(outputDir)).toEqual(before);
    const ruined = { ...SETTINGS.recipe, learningRate: 0.99, epochs: 30 };
    const loss = run({ outputDir, recipe: ruined, evaluate: undefined, variant: blowUp, card: FACTS });
    await expect(loss).rejects.toThrow(/Try a smaller LEARNING_RATE.* holds the model that was there before\./s);
    expect(files(outputDir)).toEqual(before);
    expect(fs.existsSync(path.join(outputDir, '.run'))).toBe(false);
  });

  it('goes to .previous when a better one comes, with its card and ONNX; stopped and gone on, it stays there', async () => {
    const { outputDir, before } = await outputDirOfEarlier();
    const changes = { outputDir, seed: 5, card: FACTS };
    const stopped = await run(changes, 3);
    expect([stopped.placed, stopped.best?.step]).toEqual([true, 3]);
    await run({ ...changes, evaluate: scores(0.5, 0.6) });
    expect(fs.readFileSync(path.join(outputDir, 'README.md'), 'utf8')).toContain('the weights are those after step 5');
    const previous = files(path.join(outputDir, '.previous'));
    const moved = Object.entries(previous).map(([name, data]) => [name.replace('/.previous', ''), data]);
    const { [path.join(outputDir, 'notes.txt')]: notes, ...model } = before;
    expect(Object.fromEntries(moved)).toEqual(model);
    expect(files(outputDir)[path.join(outputDir, 'notes.txt')]).toBe(notes);
  });

  it('is the base where none was there', async () => {
    const { placed, model, outputDir } = await run({ evaluate: scores(0.9, 0.1) });
    expect(placed).toBe(true);
    expect(await isWeightsOf(outputDir, model)).toBe(true);
    expect(fs.existsSync(path.join(outputDir, 'onnx/model.onnx'))).toBe(true);
  });

  /** The gradients of a run that has diverged. */
  const blowUp: TrainOptions['variant'] = (method) => ({
    ...method,
    lossAndGradients: (...step) => ({ ...method.lossAndGradients(...step), loss: Number.NaN }),
  });
});

it('is not touched by a second run while the first goes on', async () => {
  const outputDir = path.join(temporaryFolder(), 'trained');
  let refusal: unknown;
  const second = async () => train(await loadTiny(), options({ ...SETTINGS, outputDir }));
  await run({
    outputDir,
    evaluate: async () => {
      refusal ??= await second().catch((error) => error);
      return 0;
    },
  });
  expect(String(refusal)).toMatch(/in use by process \d+ \(this one\), since .*nothing was touched/s);
});
