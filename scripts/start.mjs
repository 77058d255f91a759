// The three notebooks, headless and in order, on the sample corpus (or what the settings name); last, base against fine-tuned.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './environment.mjs';
import { NOTEBOOKS, runNotebook } from './notebook.mjs';

for (const name of NOTEBOOKS) if (!(await runNotebook(name))) process.exit(1);

const resultsDir = path.resolve(ROOT, 'notebooks', process.env.RESULTS_DIR ?? '../results');
console.log(`\n${fs.readFileSync(path.join(resultsDir, 'summary.txt'), 'utf8').trimEnd()}`);
