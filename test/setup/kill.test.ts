// Set-up in a copy of the project, killed at random moments of every step: the next run repairs it.
//
// SETUP_KILLS=20: so many kills, spread over the steps; minutes each, so that without it nothing is run. What was downloaded
// into .cache is taken along.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { randomNumbers, Started, sleep, WAYS } from '../processes/started';

const KILLS = Number(process.env.SETUP_KILLS ?? 0);
const SEED = Number(process.env.SEED ?? 1);

/** What each step leaves behind: its stamp, without which it is done again, and the title by which it is announced. */
const STEPS = [
  { title: 'npm packages', stamp: 'node_modules/.setup/packages' },
  { title: 'Node 24', stamp: 'node_modules/.setup/node' },
  { title: 'Jupyter Lab', stamp: '.venv/.setup' },
  { title: 'TensorFlow for Node', stamp: 'node_modules/@tensorflow/tfjs-node/.setup' },
  { title: 'TypeScript kernel', stamp: '.venv/share/jupyter/kernels/tslab/.setup' },
  { title: 'the library', stamp: 'lib/dist/.setup' },
];

const project = fs.mkdtempSync(path.join(os.tmpdir(), 'setup-kill-'));
afterAll(() => fs.rmSync(project, { recursive: true, force: true }), 600_000);

function copyProject() {
  const files = ['package.json', 'package-lock.json', '.npmrc', 'requirements.txt', 'tsconfig.json', 'lib', 'scripts'];
  const filter = (file: string) => !/lib\/(dist|node_modules)$/.test(file);
  for (const file of files) fs.cpSync(file, path.join(project, file), { recursive: true, filter });
  for (const name of ['npm', 'libtensorflow'])
    if (fs.existsSync(`.cache/${name}`))
      fs.cpSync(`.cache/${name}`, path.join(project, '.cache', name), { recursive: true });
}

/** As in a terminal, where neither this project's programs nor its npm's settings are. */
const isOurs = (name: string) => /^(npm_|FINETUNE_NODE|JUPYTER_|PIP_)/.test(name);
const env: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
env.PATH = env
  .PATH!.split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');
const setUp = () => spawnSync('npm', ['run', 'setup', '--prefix', project], { env, encoding: 'utf8' });

/** Does what the project is set up for: TensorFlow computes, Jupyter knows the kernel, the library loads. */
function expectWorking() {
  const node = path.join(project, 'node_modules/node/bin/node');
  const code =
    "const { tf } = require('finetune-embedding'); console.log(tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0])";
  const { stdout, stderr } = spawnSync(node, ['-e', code], { cwd: project, encoding: 'utf8' });
  expect(stdout.trim(), stderr).toBe('11');
  const jupyter = spawnSync(path.join(project, '.venv/bin/jupyter'), ['kernelspec', 'list'], { encoding: 'utf8' });
  expect(jupyter.stdout).toMatch(/tslab/);
}

if (!KILLS) console.log('SETUP_KILLS is not set: no set-up is killed.');
it.skipIf(!KILLS)(
  `killed at ${KILLS} moments, it is repaired by the next run`,
  async () => {
    copyProject();
    const first = setUp();
    expect(first.status, first.stdout + first.stderr).toBe(0);
    // Where the machine's Node is new enough, one step is left out.
    const steps = STEPS.flatMap((step) => {
      const time = new RegExp(`set-up: ${step.title}.* … ([\\d.]+) s`).exec(first.stdout)?.[1];
      return time ? [{ ...step, seconds: Number(time) }] : [];
    });
    expect(steps.length).toBeGreaterThanOrEqual(5);
    const random = randomNumbers(SEED);
    let repaired = 0;
    for (let i = 0; i < KILLS; i++) {
      // The first takes all others with it, and minutes: every tenth time.
      const { title, stamp, seconds } = i % 10 === 0 ? steps[0] : steps[1 + (i % (steps.length - 1))];
      const way = Object.keys(WAYS)[Math.floor(random() * Object.keys(WAYS).length)];
      const moment = random() * seconds;
      fs.rmSync(path.join(project, stamp), { force: true });
      const started = new Started('npm', ['run', 'setup', '--prefix', project], env);
      while (!started.log.includes(title)) await sleep(0.05);
      await sleep(moment);
      started.alive();
      await WAYS[way](started);
      const { seconds: took, left } = await started.secondsToEnd();
      const again = setUp();
      const quiet = setUp();
      const done = [...again.stdout.matchAll(/set-up: (.*?) … /g)].map(([, name]) => name);
      console.log(
        `${title}, ${way} after ${moment.toFixed(1)} s: ended in ${took.toFixed(2)} s; done again: ${done.join(', ') || 'nothing'}` +
          left.map((each) => `\n  left: ${each}`).join(''),
      );
      expect(left).toEqual([]);
      expect(again.status, again.stdout + again.stderr).toBe(0);
      expect(quiet.stdout).not.toContain('set-up:');
      expectWorking();
      repaired++;
    }
    console.log(`${repaired} of ${KILLS} repaired by the next run; load ${os.loadavg()[0].toFixed(1)}`);
  },
  4 * 3_600_000,
);
