// In: tfjs-node without its library. Out: libtensorflow and its binding for Node: tfjs-node's own installer where its
// host answers, else the library out of a PyPI wheel and the binding built from source.
import fs from 'node:fs';
import path from 'node:path';
import { NODE_MODULES, ROOT, VENV_PYTHON } from '../environment.mjs';
import { fingerprint, run, SetupError } from './steps.mjs';

const TFJS_NODE = path.join(NODE_MODULES, '@tensorflow', 'tfjs-node');
const BINDING = path.join(TFJS_NODE, 'lib', 'napi-v8', 'tfjs_binding.node');
/** What the binding loads, or a link to it: missing when .cache was deleted or the project's folder has moved. */
const LOADED = path.join(
  TFJS_NODE,
  'deps',
  'lib',
  process.platform === 'darwin' ? 'libtensorflow.dylib' : 'libtensorflow.so.2.9.1',
);
/** The host that the official installer downloads from. */
const OFFICIAL_HOST = 'https://storage.googleapis.com';
const WHEEL = { name: 'tensorflow-cpu', version: '2.18.1', python: '3.12' };
const LIBRARY = path.join(ROOT, '.cache', 'libtensorflow', WHEEL.version);

async function isOfficialHostReachable() {
  try {
    await fetch(OFFICIAL_HOST, { method: 'HEAD', signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  }
}

/** Takes the shared libraries and C headers out of the wheel into {@link LIBRARY}, which appears when complete. */
async function fetchWheel() {
  if (fs.existsSync(LIBRARY)) return;
  const temporary = `${LIBRARY}.tmp`;
  fs.rmSync(temporary, { recursive: true, force: true });
  fs.mkdirSync(temporary, { recursive: true });
  const pip = [VENV_PYTHON, '-m', 'pip', 'download', '--no-deps', '--disable-pip-version-check', '--only-binary=:all:'];
  await run([...pip, '--python-version', WHEEL.python, '--dest', temporary, `${WHEEL.name}==${WHEEL.version}`]);
  await run([VENV_PYTHON, path.join(ROOT, 'scripts', 'setup', 'unpack_wheel.py'), temporary]);
  fs.renameSync(temporary, LIBRARY);
}

/** Puts libraries and headers where tfjs-node's binding.gyp looks for them. */
function linkLibrary() {
  const dependencies = path.join(TFJS_NODE, 'deps');
  fs.rmSync(dependencies, { recursive: true, force: true });
  fs.mkdirSync(path.join(dependencies, 'lib'), { recursive: true });
  fs.symlinkSync(path.join(LIBRARY, 'include'), path.join(dependencies, 'include'));
  const names = {
    'libtensorflow_cc.so.2': ['libtensorflow.so', 'libtensorflow.so.2.9.1', 'libtensorflow_cc.so.2'],
    'libtensorflow_framework.so.2': ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  };
  for (const [file, links] of Object.entries(names)) {
    for (const link of links) fs.symlinkSync(path.join(LIBRARY, 'lib', file), path.join(dependencies, 'lib', link));
  }
}

/** The folder with `include/node/node_api.h`: beside the running Node, or in npm's `node` package. */
function headersFolder() {
  const candidates = [path.dirname(path.dirname(process.env.FINETUNE_NODE ?? process.execPath))];
  const packaged = path.join(NODE_MODULES, 'node', 'node_modules');
  if (fs.existsSync(packaged)) {
    candidates.push(...fs.readdirSync(packaged).map((name) => path.join(packaged, name)));
  }
  const found = candidates.find((folder) => fs.existsSync(path.join(folder, 'include', 'node', 'node_api.h')));
  if (!found) throw new SetupError("Node's headers (include/node/node_api.h) were not found");
  return found;
}

async function buildBinding() {
  const gyp = path.join(NODE_MODULES, 'node-gyp', 'bin', 'node-gyp.js');
  await run(
    [
      process.env.FINETUNE_NODE ?? process.execPath,
      gyp,
      'rebuild',
      `--nodedir=${headersFolder()}`,
      '--module_name=tfjs_binding',
      '--module_path=lib/napi-v8',
      '--napi_build_version=8',
    ],
    { cwd: TFJS_NODE },
  );
  fs.mkdirSync(path.dirname(BINDING), { recursive: true });
  fs.copyFileSync(path.join(TFJS_NODE, 'build', 'Release', 'tfjs_binding.node'), `${BINDING}.tmp`);
  fs.renameSync(`${BINDING}.tmp`, BINDING);
}

/** Multiplies two matrices in a fresh process: the library loads and computes. */
async function check() {
  const shim = "const u = require('util'); u.isNullOrUndefined = (x) => x == null; u.isArray = Array.isArray;";
  const product = 'tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0]';
  const code = `${shim} const tf = require('@tensorflow/tfjs-node'); console.log(${product})`;
  const answer = await run([process.env.FINETUNE_NODE ?? process.execPath, '-e', code], {
    cwd: ROOT,
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  if (!answer.trim().endsWith('11'))
    throw new SetupError(`TensorFlow loads but computes [1 2]·[3 4]ᵀ = ${answer.trim()}`);
}

/** @type {import('./steps.mjs').Step} */
export const tensorflow = {
  title: 'TensorFlow for Node',
  stamp: path.join(TFJS_NODE, '.setup'),
  inputs: () => fingerprint([path.join(TFJS_NODE, 'package.json')], WHEEL.version),
  makes: [BINDING, LOADED],
  run: async () => {
    if (await isOfficialHostReachable()) {
      try {
        await run([process.execPath, 'scripts/install.js'], { cwd: TFJS_NODE, timeoutSeconds: 600 });
        await check();
        return 'official build';
      } catch (error) {
        if (process.platform !== 'linux') throw error;
      }
    } else if (process.platform !== 'linux') {
      throw new SetupError(
        `${OFFICIAL_HOST} does not answer, and on ${process.platform} libtensorflow comes from there only`,
      );
    }
    await fetchWheel();
    linkLibrary();
    await buildBinding();
    await check();
    return `library from the PyPI wheel ${WHEEL.name} ${WHEEL.version}, binding built`;
  },
  advice:
    'install a C++ compiler and make (on Debian and Ubuntu: the package build-essential), check that PyPI is ' +
    'reachable and that the disk has 3 GB free.',
};
