// A run that is cut off goes on when it is started again, to the same bytes. Real processes, killed at random moments
// of their runs. KILLS=20 is the long mode: each of all methods is killed so often.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { seededRandom } from 'finetune-embedding/dist/common/random.js';
import { describe, expect, it } from 'vitest';
import { TINY, temporaryFolder, texts } from '../fixtures/engine';

const KILLS = Number(process.env.KILLS ?? 1);
const METHODS = ['plain', 'LoRA'];
const SCRIPT = path.resolve('test/train/one-run.mjs');

interface Run {
  output: string;
  /** Milliseconds from its start to its end. */
  took: number;
  signal: NodeJS.Signals | null;
}

/** From when a kill may come: in the short mode something has been written down by then. */
const BEGUN = KILLS > 1 ? 'start:' : 'step 3';

/** A run in a process of its own; killed so many milliseconds after its training has begun, if it still goes then. */
function run(settings: object, killAfter?: number): Promise<Run> {
  const argument = JSON.stringify({ base: TINY, pairs: texts.tinyPairs, ...settings });
  const child = spawn(process.execPath, [SCRIPT, argument], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  let [output, began] = ['', Number.NaN];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8');
  child.stderr.on('data', (text) => (output += text));
  child.stdout.on('data', (text) => {
    output += text;
    if (!Number.isNaN(began) || !output.includes(BEGUN)) return;
    began = performance.now();
    if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
  });
  return new Promise((resolve) =>
    child.on('close', (_, signal) => resolve({ output, signal, took: performance.now() - began })),
  );
}

const weights = (folder: string) => fs.readFileSync(path.join(folder, 'model.safetensors'));

describe('a run that is killed', () => {
  it.each(METHODS)(
    'ends with the same bytes as one that never was: %s, with dropout',
    async (method) => {
      const [whole, killed] = [temporaryFolder(), temporaryFolder()];
      const untouched = await run({ method, outputDir: whole, checkpointSeconds: 1000 });
      expect(untouched.output).toContain('end: 20 steps, best 20');
      const random = seededRandom(`kill ${method}`);
      let goneOn = 0;
      for (let kills = 0; kills < KILLS; ) {
        const { output, signal } = await run({ method, outputDir: killed }, random() * 1.2 * untouched.took);
        if (signal === 'SIGKILL' && !output.includes('end:')) kills++;
        else fs.rmSync(killed, { recursive: true }); // it was quicker: again, from the start
        if (output.includes('going on from step')) goneOn++;
      }
      const last = await run({ method, outputDir: killed });
      expect(last.output).toMatch(/end: 20 steps, best 20/);
      expect(weights(killed).equals(weights(whole))).toBe(true);
      expect(goneOn + Number(last.output.includes('going on'))).toBeGreaterThan(0);
      expect(fs.existsSync(path.join(killed, '.run'))).toBe(false);
    },
    3_600_000,
  );

  it('leaves the model of an earlier run as it was, every byte', async () => {
    const outputDir = temporaryFolder();
    const { took } = await run({ outputDir, checkpointSeconds: 1000 });
    const names = ['model.safetensors', 'onnx/model.onnx', 'onnx/model_int8.onnx', 'config.json'];
    const files = names.map((name) => path.join(outputDir, name));
    const before = files.map((file) => fs.readFileSync(file));
    const { signal, output } = await run({ outputDir, seed: 2 }, took / 2);
    expect(signal).toBe('SIGKILL');
    expect(output).toContain('step 1');
    files.forEach((file, i) => {
      expect(fs.readFileSync(file).equals(before[i])).toBe(true);
    });
  }, 600_000);
});
