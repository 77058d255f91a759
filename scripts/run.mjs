// In: a command's name and arguments. Out: its script, run after set-up on the Node that set-up chose.
import os from 'node:os';
import path from 'node:path';
import { kernelEnvironment, NODE_MODULES, ROOT, stateEnvironment, VENV } from './environment.mjs';
import { endWithParent, spawnGroup } from './processes.mjs';
import { setUp } from './setup/index.mjs';
import { SetupError } from './setup/steps.mjs';

/** Command → script and arguments, relative to the project's folder; none: set-up alone. */
const COMMANDS = {
  start: ['scripts/start.mjs'],
  notebook: ['scripts/notebook.mjs'],
  'notebooks:update': ['scripts/update-notebooks.mjs'],
  setup: [],
  lab: ['scripts/lab.mjs'],
  test: ['scripts/test.mjs'],
  'test:browser': ['test/browser/run.mjs'],
  bench: ['bench/run.mjs'],
  interop: ['test/interop/run.mjs'],
  export: ['scripts/export.mjs'],
  'scale:train': ['scripts/scale/train.mjs'],
};

const [name, ...args] = process.argv.slice(2);
if (!COMMANDS[name]) {
  console.error(`Unknown command "${name}". There are: ${Object.keys(COMMANDS).join(', ')}.`);
  process.exit(2);
}
endWithParent(process.env.NPM_PID);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    console.error(`\nStopped: npm run ${name} and all that it had started.`);
    process.exit(128 + os.constants.signals[signal]);
  });
for (const [variable, folder] of Object.entries(stateEnvironment)) process.env[variable] ??= folder;
try {
  const node = await setUp();
  const [script, ...fixed] = COMMANDS[name];
  if (!script) process.exit(0);
  const searchPath = [path.dirname(node), path.join(NODE_MODULES, '.bin'), path.join(VENV, 'bin'), process.env.PATH];
  const child = spawnGroup(node, [path.join(ROOT, script), ...fixed, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...kernelEnvironment, ...process.env, PATH: searchPath.join(path.delimiter) },
  });
  child.on('close', (code) => process.exit(code ?? 1));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exit(1);
}
