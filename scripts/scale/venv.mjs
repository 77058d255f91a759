// The Python environment with PyTorch and sentence-transformers, in .cache/interop: what scale:train runs in, and the peer of interop and bench.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../environment.mjs';
import { makeVenv } from '../setup/python.mjs';
import { isDone, runSteps } from '../setup/steps.mjs';

const REQUIREMENTS = path.join(ROOT, 'scripts', 'scale', 'requirements.txt');
const FOLDER = path.join(ROOT, '.cache', 'interop');

/** The interpreter of the environment, which may not be there yet. */
export const PYTHON = path.join(FOLDER, 'bin', 'python');

/** @type {import('../setup/steps.mjs').Step} */
const peers = {
  title: 'PyTorch and sentence-transformers, once (on Linux with CUDA libraries: 5 GB on disk)',
  stamp: path.join(FOLDER, 'requirements.txt'),
  inputs: () => fs.readFileSync(REQUIREMENTS, 'utf8'),
  makes: [PYTHON],
  run: () => makeVenv(FOLDER, REQUIREMENTS),
  advice: 'check that PyPI is reachable and that the disk has 6 GB free.',
};

/** Whether the environment holds what requirements.txt asks for. */
export const isReady = () => isDone(peers);

/** Makes the environment, or brings it up to date. */
export const setUp = () => runSteps([peers]);
