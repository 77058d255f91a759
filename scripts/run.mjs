// In: a command's name and arguments. Out: its script, run after set-up on the Node that set-up chose.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { kernelEnvironment, NODE_MODULES, ROOT, stateEnvironment, VENV } from './environment.mjs';
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
};

const [name, ...args] = process.argv.slice(2);
if (!COMMANDS[name]) {
  console.error(`Unknown command "${name}". There are: ${Object.keys(COMMANDS).join(', ')}.`);
  process.exit(2);
}
for (const [variable, folder] of Object.entries(stateEnvironment)) process.env[variable] ??= folder;
try {
  const node = await setUp();
  const [script, ...fixed] = COMMANDS[name];
  if (!script) process.exit(0);
  const searchPath = [path.dirname(node), path.join(NODE_MODULES, '.bin'), path.join(VENV, 'bin'), process.env.PATH];
  const child = spawn(node, [path.join(ROOT, script), ...fixed, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...kernelEnvironment, ...process.env, PATH: searchPath.join(path.delimiter) },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('close', (code) => process.exit(code ?? 1));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exit(1);
}
