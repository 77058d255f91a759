// In: arguments of jupyter-lab. Out: Jupyter Lab on 127.0.0.1, with its usual token, opened at the start page.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, stateEnvironment, VENV } from './environment.mjs';
import { NOTEBOOKS } from './notebook.mjs';
import { spawnGroup } from './processes.mjs';

const START_PAGE = 'notebooks/README.md';

const env = { ...stateEnvironment, ...process.env, JUPYTER_CONFIG_PATH: path.join(ROOT, 'scripts', 'lab') };
const program = (name) => path.join(VENV, 'bin', name);

// Figures in the committed outputs are live only in notebooks that are signed on this machine; twice does no harm.
const notebooks = NOTEBOOKS.map((name) => path.join(ROOT, 'notebooks', `${name}.ipynb`));
const trust = spawnSync(program('jupyter-trust'), notebooks, { env, encoding: 'utf8', timeout: 60_000 });
if (trust.status !== 0) console.warn(`The committed figures stay still pictures: ${trust.stderr || trust.error}`);

const options = ['--ip=127.0.0.1', `--ServerApp.root_dir=${ROOT}`, `--LabApp.default_url=/lab/tree/${START_PAGE}`];
if (process.getuid?.() === 0) options.push('--allow-root');
fs.mkdirSync(env.JUPYTER_DATA_DIR, { recursive: true });
const child = spawnGroup(program('jupyter-lab'), [...options, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: ['ignore', 'inherit', 'inherit'],
  env,
});
child.on('close', (code) => process.exit(code ?? 1));
