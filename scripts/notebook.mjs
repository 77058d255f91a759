// In: names of notebooks. Out: their executed copies in runs/, without a browser.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, VENV_PYTHON } from './environment.mjs';
import { spawnGroup } from './processes.mjs';

/** The notebooks in the order of the workflow. */
export const NOTEBOOKS = ['generate_dataset', 'finetune', 'evaluate'];

/**
 * Runs one notebook, printing its progress.
 *
 * @param {string} name
 * @param {string} [output] where the executed copy goes
 * @returns {Promise<boolean>} whether all cells ran
 */
export function runNotebook(name, output = path.join(ROOT, 'runs', `${name}.ipynb`)) {
  fs.mkdirSync(path.dirname(output), { recursive: true });
  const source = path.join(ROOT, 'notebooks', `${name}.ipynb`);
  return new Promise((resolve) => {
    const child = spawnGroup(VENV_PYTHON, [path.join(ROOT, 'scripts', 'execute_notebook.py'), source, output], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('close', (code) => resolve(code === 0));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !NOTEBOOKS.includes(name));
  if (names.length === 0 || unknown) {
    console.error(`Name a notebook: ${NOTEBOOKS.join(', ')}.${unknown ? ` There is no "${unknown}".` : ''}`);
    process.exit(2);
  }
  for (const name of names) if (!(await runNotebook(name))) process.exit(1);
}
