// Checkpoints with one damaged file: a run goes on from the one before, and says so; never from anything else.
import fs from 'node:fs';
import path from 'node:path';
import { train } from 'finetune-embedding';
import { RunFolder } from 'finetune-embedding/dist/train/run/checkpoint.js';
import { expect, it } from 'vitest';
import { loadTiny, pairsAsData, temporaryFolder, texts } from '../fixtures/engine';
import { FIVE_STEPS } from '../train/five-steps';
import { MUTATIONS, mutate } from './mutate';

it('a damaged checkpoint is passed over, whatever the damage', async () => {
  const outputDir = temporaryFolder();
  const stop = new AbortController();
  await train(await loadTiny(), {
    data: pairsAsData(texts.tinyPairs),
    recipe: FIVE_STEPS,
    outputDir,
    seed: 1,
    checkpointSeconds: 0,
    signal: stop.signal,
    onStep: ({ step }) => step === 3 && stop.abort(),
  });
  const at = (name: string) => path.join(outputDir, '.run', name);
  const { conditions } = JSON.parse(fs.readFileSync(at('checkpoint-3.json'), 'utf8'));
  const start = () => {
    const { state, message } = new RunFolder(outputDir).start(conditions);
    return { state, message };
  };
  const newest = start();
  expect(newest.message).toMatch(/^going on from step 3 of/);
  for (const name of ['checkpoint-3.json', 'checkpoint-3.safetensors']) {
    const whole = fs.readFileSync(at(name));
    let passedOver = 0;
    for (let n = 0; n < MUTATIONS; n++) {
      const { bytes, kind } = mutate(whole, name, n);
      fs.writeFileSync(at(name), bytes);
      const { state, message } = start();
      if (message === newest.message) {
        expect(state, `${name}, ${kind} ${n}`).toEqual(newest.state);
        continue;
      }
      passedOver++;
      expect(message).toMatch(/^going on from step 2 of \d+; the checkpoint of step 3 cannot be read$/);
    }
    fs.writeFileSync(at(name), whole);
    console.log(`${name}: ${passedOver} of ${MUTATIONS} passed over, the others say the same`);
    expect(passedOver).toBeGreaterThan(MUTATIONS * 0.8);
  }
}, 600_000);
