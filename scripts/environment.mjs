// In: where this file is. Out: where things are, and the environment that kernel, scripts and tests run in.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const VENV = path.join(ROOT, '.venv');
export const VENV_PYTHON = path.join(VENV, 'bin', 'python');
export const NODE_MODULES = path.join(ROOT, 'node_modules');
/** The Node that everything after set-up runs on; see setup/packages.mjs. */
export const PINNED_NODE = path.join(NODE_MODULES, 'node', 'bin', 'node');

/**
 * Where pip and Jupyter keep what they write for themselves, so that a command changes nothing outside this folder, and
 * the user's own Jupyter keeps its preferences, open tabs and signatures. Of npm, .npmrc says it.
 */
export const stateEnvironment = {
  PIP_CACHE_DIR: path.join(ROOT, '.cache', 'pip'),
  JUPYTER_CONFIG_DIR: path.join(ROOT, '.cache', 'jupyter', 'config'),
  JUPYTER_DATA_DIR: path.join(ROOT, '.cache', 'jupyter', 'data'),
};

/**
 * Settings of native code, for kernel.json and child processes: TensorFlow's start-up lines stay out of the cells; its
 * threads share two of glibc's arenas, as each keeps for itself what is freed in it (75 MB in evaluate).
 */
export const kernelEnvironment = { TF_CPP_MIN_LOG_LEVEL: '2', MALLOC_ARENA_MAX: '2' };
