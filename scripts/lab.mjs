// Jupyter Lab on 127.0.0.1 with its usual token, on the project's folder.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ROOT, VENV } from './environment.mjs';

const child = spawn(
  path.join(VENV, 'bin', 'jupyter-lab'),
  ['--ip=127.0.0.1', `--ServerApp.root_dir=${ROOT}`, ...process.argv.slice(2)],
  { cwd: ROOT, stdio: 'inherit', env: process.env },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => process.exit(code ?? 1));
