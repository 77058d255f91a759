// In: requirements.txt. Out: Jupyter Lab and the default model in a virtual environment of the project's own, and the
// tslab kernel registered in it.
import fs from 'node:fs';
import path from 'node:path';
import { kernelEnvironment, NODE_MODULES, ROOT, VENV, VENV_PYTHON } from '../environment.mjs';
import { fingerprint, run, SetupError, writeWhole } from './steps.mjs';

const requirements = path.join(ROOT, 'requirements.txt');
const OLDEST_PYTHON = [3, 10];

/** The machine's Python, if it is new enough. */
async function findPython() {
  for (const name of ['python3', 'python']) {
    const version = await run([name, '-c', 'import sys; print(*sys.version_info[:2])']).catch(() => '');
    const [major, minor] = version.trim().split(' ').map(Number);
    if (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]) return name;
  }
  throw new SetupError(`no Python ${OLDEST_PYTHON.join('.')} or newer was found as python3 or python`);
}

/** Makes a virtual environment with what a file of requirements asks for; pip keeps what an earlier try fetched. */
export async function makeVenv(folder, requirements, ...options) {
  await run([await findPython(), '-m', 'venv', '--clear', folder]);
  const pip = [path.join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--disable-pip-version-check'];
  await run([...pip, ...options, '-r', requirements]);
}

/** @type {import('./steps.mjs').Step} */
export const python = {
  title: 'Jupyter Lab and all-MiniLM-L6-v2 (Python packages)',
  stamp: path.join(VENV, '.setup'),
  // The programs in it name their interpreter by its absolute path.
  inputs: () => fingerprint([requirements], fs.existsSync(VENV) ? fs.realpathSync(VENV) : ''),
  makes: [VENV_PYTHON, path.join(VENV, 'bin', 'jupyter-lab')],
  run: () => makeVenv(VENV, requirements, '--no-deps'),
  advice:
    'install Python 3.10 or newer with its venv module (on Debian and Ubuntu: the packages python3 and python3-venv) ' +
    'and check that PyPI is reachable.',
};

const kernelFolder = path.join(VENV, 'share', 'jupyter', 'kernels', 'tslab');

/**
 * What Jupyter starts: this Node, by absolute path, on the kernel script. Left alone, V8 would keep 100 MB more for new
 * objects, and be no quicker.
 */
const kernelSpec = () => ({
  argv: [
    process.env.FINETUNE_NODE ?? process.execPath,
    '--max-semi-space-size=16',
    path.join(ROOT, 'scripts', 'kernel.mjs'),
    '{connection_file}',
  ],
  display_name: 'TypeScript',
  language: 'typescript',
  env: kernelEnvironment,
});

/** @type {import('./steps.mjs').Step} */
export const kernel = {
  title: 'TypeScript kernel for Jupyter',
  stamp: path.join(kernelFolder, '.setup'),
  inputs: () => fingerprint([], JSON.stringify(kernelSpec())),
  makes: [path.join(kernelFolder, 'kernel.json')],
  run: async () => {
    writeWhole(path.join(kernelFolder, 'kernel.json'), `${JSON.stringify(kernelSpec(), null, 2)}\n`);
    for (const logo of ['logo-32x32.png', 'logo-64x64.png']) {
      const source = path.join(NODE_MODULES, 'tslab', 'python', 'tslab', logo);
      if (fs.existsSync(source)) fs.copyFileSync(source, path.join(kernelFolder, logo));
    }
  },
  advice: 'check that the project folder can be written to.',
};
