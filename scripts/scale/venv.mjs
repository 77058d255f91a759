// The Python environment with PyTorch and sentence-transformers, in .cache/interop: what scale:train runs in, and the peer of interop and bench.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REQUIREMENTS = path.join(HERE, 'requirements.txt');
const FOLDER = path.resolve(HERE, '../../.cache/interop');
const STAMP = path.join(FOLDER, 'requirements.txt');

/** The interpreter of the environment, which may not be there yet. */
export const PYTHON = path.join(FOLDER, 'bin', 'python');

/** Whether the environment holds what requirements.txt asks for. */
export function isReady() {
  return fs.existsSync(STAMP) && fs.readFileSync(STAMP, 'utf8') === fs.readFileSync(REQUIREMENTS, 'utf8');
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`"${command} ${args.join(' ')}" failed: ${error?.message ?? `exit code ${status}`}.`);
}

/** Makes the environment, or brings it up to date; after an interrupted set-up it goes on where that stopped. */
export function setUp() {
  if (isReady()) return;
  console.log('Installing PyTorch and sentence-transformers into .cache/interop, once (on Linux PyTorch brings its');
  console.log('CUDA libraries: 5 GB on disk).');
  fs.mkdirSync(path.dirname(FOLDER), { recursive: true });
  if (!fs.existsSync(PYTHON)) run('python3', ['-m', 'venv', FOLDER]);
  run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
  fs.copyFileSync(REQUIREMENTS, STAMP);
}
