// In: a prepared run. Out: torchrun's processes, which train it; their reports.
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { ROOT } from '../environment.mjs';
import { spawnGroup } from '../processes.mjs';
import { PYTHON } from './venv.mjs';

/**
 * @param {string} folder as prepare.mjs makes it
 * @param {number} processes on this machine: one a GPU, where there are any
 * @param {string[]} meeting torchrun's arguments that say where several machines meet; empty: this machine alone
 * @param {(report: {step: number, loss: number}) => void} onStep called on the machine of the first process alone
 * @returns {Promise<boolean>} whether the run was at its end, and its first process on this machine
 * @throws Error if it failed; what was said of it is on the terminal
 */
export async function launch(folder, processes, meeting, onStep) {
  const script = path.join(ROOT, 'scripts', 'scale', 'train.py');
  const where = meeting.length ? meeting : ['--standalone'];
  const torchrun = ['-m', 'torch.distributed.run', '--nproc-per-node', String(processes), ...where];
  const threads = Math.max(1, Math.floor(os.availableParallelism() / processes));
  const quiet = { HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error', TQDM_DISABLE: '1' };
  const child = spawnGroup(PYTHON, [...torchrun, script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { OMP_NUM_THREADS: String(threads), ...process.env, ...quiet },
  });
  const code = new Promise((resolve) => child.on('close', resolve));
  let hasEnded = false;
  for await (const line of readline.createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue;
    const report = JSON.parse(line);
    if (report.ended) hasEnded = true;
    else onStep(report);
  }
  if ((await code) !== 0) throw new Error('The training in PyTorch failed; its message is above.');
  return hasEnded;
}
