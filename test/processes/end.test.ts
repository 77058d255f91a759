// Nothing that a command started outlives it, however and whenever it is stopped.
//
// MOMENTS=30: so many random moments a command, of all commands, instead of one a way to stop `npm start`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BAKERY, FERRY, Workplace } from '../notebooks/slice';
import { CAN_COUNT, randomNumbers, Started, sleep, WAYS } from './started';

const MOMENTS = Number(process.env.MOMENTS ?? 0);
const ONLY = process.env.COMMAND;
const SEED = Number(process.env.SEED ?? 1);
/** Seconds in which all is to have ended; counted, for a machine that has other work too may take longer. */
const LIMIT = 2;

/** The arguments of npm, and the seconds over which its moments are spread. */
const COMMANDS: Record<string, { args: string[]; seconds: number; share?: number }> = {
  'npm start': { args: ['start'], seconds: 35 },
  'npm test': { args: ['test', '--', 'test/notebooks', 'test/setup'], seconds: 50 },
  'npm run notebook': { args: ['run', 'notebook', '--', 'generate_dataset'], seconds: 8, share: 0.3 },
  'npm run lab': { args: ['run', 'lab', '--', '--no-browser', '--port=0'], seconds: 6, share: 0.2 },
  'npm run bench': { args: ['run', 'bench', '--', 'memory'], seconds: 15, share: 0.2 },
  'npm run notebooks:update': { args: ['run', 'notebooks:update'], seconds: 20, share: 0.2 },
  'npm run test:browser': { args: ['run', 'test:browser'], seconds: 60, share: 0.2 },
};

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'end-'));
const EXECUTED = ['generate_dataset', 'finetune', 'evaluate'].map((name) => `runs/${name}.ipynb`);
beforeAll(() => {
  // A set-up that is to be done would be what is stopped.
  expect(spawnSync('npm', ['run', 'setup']).status).toBe(0);
  // Executed copies of the developer's are put back.
  for (const file of EXECUTED.filter((each) => fs.existsSync(each))) fs.cpSync(file, path.join(temporary, file));
}, 600_000);
afterAll(() => {
  for (const file of EXECUTED) fs.rmSync(file, { force: true });
  if (fs.existsSync(path.join(temporary, 'runs'))) fs.cpSync(path.join(temporary, 'runs'), 'runs', { recursive: true });
  fs.rmSync(temporary, { recursive: true, force: true });
});

function startNpm(args: string[]) {
  const workplace = new Workplace(fs.mkdtempSync(path.join(temporary, 'place-')), { QUESTION_GENERATOR: 'offline' });
  workplace.env.TRAIN_FILES = workplace.write('docs/bakery.md', BAKERY);
  workplace.env.VAL_FILES = workplace.write('docs/ferry.md', FERRY);
  return new Started('npm', args, workplace.env);
}

/** Stops a command when its time has come; what is left of it, and how long the rest took. */
async function stop(args: string[], way: string, isTime: (started: Started) => boolean) {
  const started = startNpm(args);
  let most = 0;
  while (!isTime(started)) {
    most = Math.max(most, started.alive().length);
    await sleep(0.05);
  }
  await WAYS[way](started);
  return { ...(await started.secondsToEnd()), most, log: started.log };
}

describe.skipIf(!CAN_COUNT)('of a command that is stopped, nothing is left', () => {
  const expectWholeFiles = () => {
    for (const file of EXECUTED.filter((each) => fs.existsSync(each)))
      expect(() => JSON.parse(fs.readFileSync(file, 'utf8')), file).not.toThrow();
  };

  if (!MOMENTS) {
    const runs = (script: string) => (started: Started) =>
      started.alive().some(({ command }) => command.includes(script));
    const says = (words: string) => (started: Started) => started.log.includes(words);
    it.each([
      ['SIGTERM to npm', 'Python is there', runs('execute_notebook.py')],
      ['kill -9 of npm', 'the kernel is there', runs('kernel.mjs')],
      ['a closed terminal', 'the first cell runs', says('generate_dataset 1/')],
      ['Ctrl-C twice', 'another cell runs', says('generate_dataset 4/')],
    ])('npm start: %s, as soon as %s', async (way, _, isTime) => {
      const { left, log } = await stop(['start'], way, isTime);
      expect(left).toEqual([]);
      expect(log).not.toMatch(/Traceback|^ +at /m);
      if (way === 'Ctrl-C twice') expect(log.match(/^Stopped: /gm)).toHaveLength(1);
      expectWholeFiles();
    });
    return;
  }

  for (const [name, { args, seconds, share = 1 }] of Object.entries(COMMANDS)) {
    if (ONLY && ONLY !== name) continue;
    it(`${name}, at ${Math.round(MOMENTS * share)} random moments`, async () => {
      const random = randomNumbers(SEED);
      const failures: string[] = [];
      const times: number[] = [];
      let processes = 0;
      for (let i = 0; i < Math.round(MOMENTS * share); i++) {
        const way = Object.keys(WAYS)[i % Object.keys(WAYS).length];
        const moment = 0.2 + random() * seconds;
        const until = performance.now() + moment * 1000;
        const result = await stop(args, way, () => performance.now() >= until);
        times.push(result.seconds);
        processes = Math.max(processes, result.most);
        const line = `${way}, after ${moment.toFixed(1)} s: ${result.most} processes, ended in ${result.seconds.toFixed(2)} s`;
        console.log(`${name}: ${line}${result.left.map((each) => `\n  left: ${each}`).join('')}`);
        if (result.left.length > 0) failures.push(line);
        if (/Traceback/.test(result.log)) failures.push(`${line}, with a traceback`);
        expectWholeFiles();
      }
      const sorted = times.sort((a, b) => a - b);
      const [median, last] = [sorted[sorted.length >> 1], sorted.at(-1)!].map((value) => value.toFixed(2));
      const load = os.loadavg()[0].toFixed(1);
      console.log(
        `${name}: ${times.filter((time) => time <= LIMIT).length} of ${times.length} ended within ${LIMIT} s, half of them within ` +
          `${median} s, the last after ${last} s; up to ${processes} processes; load ${load} on ${os.cpus().length} cores`,
      );
      expect(failures).toEqual([]);
    }, 3_600_000);
  }
});
