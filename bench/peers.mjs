// Child processes that do one piece of work when asked, so that two of them can take turns: each line to their standard input is a
// question (the first: the settings), each line of theirs that starts with "{" an answer.
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { kernelEnvironment } from '../scripts/environment.mjs';
import { isReady, PYTHON } from '../scripts/scale/venv.mjs';

const THREADS = 2;
const HERE = import.meta.dirname;

/** Ends of every peer, so that none outlives the measurement. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill();
});

async function start(command, args, environment, settings) {
  const child = spawn(command, args, { env: { ...process.env, ...environment } });
  running.add(child);
  let errors = '';
  child.stderr.on('data', (data) => {
    errors = (errors + data).slice(-2000);
  });
  child.stdin.on('error', () => {}); // a peer that died says why when it is asked
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const peer = {
    /** Sends a question and waits for its answer. */
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${path.basename(args[0])} ended early:\n${errors}`);
        if (value.startsWith('{')) return JSON.parse(value);
      }
    },
    close() {
      child.stdin.end();
      running.delete(child);
    },
  };
  await peer.ask(settings);
  return peer;
}

/** This project's engine, in the environment that kernels have. */
export function startOurs(settings) {
  const environment = {
    ...kernelEnvironment,
    TF_NUM_INTRAOP_THREADS: String(THREADS),
    OMP_NUM_THREADS: String(THREADS),
  };
  return start(process.execPath, [path.join(HERE, 'ours.mjs')], environment, settings);
}

/** sentence-transformers on PyTorch; undefined, and said how to get it, where its environment is not there. */
export async function startTheirs(settings) {
  if (!isReady()) {
    console.log(
      'sentence-transformers is not here, so this measures ours alone. To get it: npm run interop -- --setup\n',
    );
    return undefined;
  }
  const environment = { OMP_NUM_THREADS: String(THREADS), HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' };
  return start(PYTHON, [path.join(HERE, 'theirs.py')], environment, { ...settings, threads: THREADS });
}
