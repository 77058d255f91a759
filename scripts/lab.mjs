// Jupyter Lab on 127.0.0.1 with its usual token, on the project's folder, opened at the start page. Arguments go on to jupyter-lab.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, VENV } from './environment.mjs';
import { NOTEBOOKS } from './notebook.mjs';

const START_PAGE = 'notebooks/README.md';
/** What Lab writes: preferences, open tabs, signatures. The user's own Jupyter keeps its own. */
const STATE = path.join(ROOT, '.cache', 'jupyter');

const env = {
  ...process.env,
  JUPYTER_CONFIG_PATH: path.join(ROOT, 'scripts', 'lab'),
  JUPYTER_CONFIG_DIR: process.env.JUPYTER_CONFIG_DIR ?? path.join(STATE, 'config'),
  JUPYTER_DATA_DIR: process.env.JUPYTER_DATA_DIR ?? path.join(STATE, 'data'),
};
const program = (name) => path.join(VENV, 'bin', name);

// Figures in the committed outputs are live only in notebooks that are signed on this machine; signing twice does no harm.
const notebooks = NOTEBOOKS.map((name) => path.join(ROOT, 'notebooks', `${name}.ipynb`));
const trust = spawnSync(program('jupyter-trust'), notebooks, { env, encoding: 'utf8' });
if (trust.status !== 0) console.warn(`The committed figures stay still pictures: ${trust.stderr || trust.error}`);

const options = ['--ip=127.0.0.1', `--ServerApp.root_dir=${ROOT}`, `--LabApp.default_url=/lab/tree/${START_PAGE}`];
if (process.getuid?.() === 0) options.push('--allow-root');
fs.mkdirSync(STATE, { recursive: true });
const child = spawn(program('jupyter-lab'), [...options, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
  env,
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => process.exit(code ?? 1));
