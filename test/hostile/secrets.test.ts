// Keys of the environment, also planted where they could leak from: they appear in no file of a run, and in no error.
// (In the notebooks' outputs, logs and files: test/notebooks/end-to-end.test.ts.)
import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import {
  addTestResults,
  appendRun,
  resolveModel,
  train,
  writeModelCard,
  writeSearchSettings,
} from 'finetune-embedding';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { loadTiny, pairsAsData, temporaryFolder, texts } from '../fixtures/engine';
import { hub, NAME, useHub } from '../model/hub-server';
import { FIVE_STEPS } from '../train/five-steps';

const KEY = 'sk-canary-0123456789abcdefghijkl';
const TOKEN = 'hf_canary0123456789abcdefghijklmnop';
const CANARY = /canary/;

beforeEach(() => {
  vi.stubEnv('OPENAI_API_KEY', KEY);
  vi.stubEnv('HF_TOKEN', TOKEN);
});

describe('keys', () => {
  it('appear in no file of a trained model, nor in the log of runs', async () => {
    const folder = temporaryFolder();
    const outputDir = path.join(folder, 'exp_finetune');
    const model = await loadTiny();
    const data = pairsAsData([...texts.tinyPairs.slice(1), [`what opens ${KEY}`, `the port of ${TOKEN}`]]);
    const options = { data, recipe: FIVE_STEPS, outputDir, seed: 1, evaluate: async () => 0.5, checkpointSeconds: 0 };
    await train(model, options);
    const stop = new AbortController();
    await train(model, { ...options, signal: stop.signal, onStep: ({ step }) => step === 3 && stop.abort() });
    writeSearchSettings(outputDir, { windowTemperature: 0.05 });
    const settings = { 'LLM at': `http://localhost/${KEY}`, base: `https://user:${TOKEN}@hub` };
    const facts = { questions: 1, chunks: 1, sha256: 'ab'.repeat(32) };
    writeModelCard(outputDir, { base: `./${TOKEN}`, train: facts, validation: facts, settings, steps: 5 });
    const metrics = { 'hit rate@5': { value: 1, low: 1, high: 1 } };
    addTestResults(outputDir, [{ retriever: `with ${KEY}`, metrics }], `questions of ${TOKEN}`);
    const log = path.join(folder, 'results/runs.jsonl');
    const run = { notebook: 'finetune', data: {}, results: {} };
    appendRun(log, { ...run, settings: { EPOCHS: 2 } });
    for (const secret of [KEY, TOKEN]) {
      expect(() => appendRun(log, { ...run, settings: { BASE_MODEL: secret } })).toThrow(/holds an API key/);
    }
    const files = fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => fs.statSync(path.join(folder, name)).isFile());
    for (const name of [
      'README.md',
      'onnx/model.onnx',
      'model.safetensors',
      'search_settings.json',
      '.run/checkpoint-3.json',
    ])
      expect(files).toContain(path.join('exp_finetune', name));
    const leaking = files.filter((name) => CANARY.test(fs.readFileSync(path.join(folder, name), 'latin1')));
    expect(leaking).toEqual([]);
    expect(fs.readFileSync(path.join(outputDir, 'README.md'), 'utf8')).toContain('http://localhost/[key]');
  });
});

describe('errors of the hub', () => {
  useHub();
  beforeEach(() => vi.stubEnv('HF_TOKEN', TOKEN));

  it.each<[string, () => unknown]>([
    ['no server', () => hub.stop()],
    ['a gated model', () => Object.assign(hub, { fileStatus: [403, 'GatedRepo'] })],
    ['no such model', () => Object.assign(hub, { apiStatus: [401] })],
    ['a log-in page', () => Object.assign(hub, { apiBody: `<html>${TOKEN}</html>` })],
    ['no server of large files', () => hub.stopContent()],
    ['a token with a line break', () => vi.stubEnv('HF_TOKEN', `${TOKEN}\nX: ${KEY}`)],
    ['a token in the address', () => vi.stubEnv('HF_ENDPOINT', `https://user:${TOKEN}@127.0.0.1:1`)],
  ])('hold no token, whatever one prints of them: %s', async (_, change) => {
    await change();
    const error = await resolveModel(NAME).then(
      () => expect.unreachable('there is no model'),
      (reason: Error) => reason,
    );
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(CANARY);
  });
});
