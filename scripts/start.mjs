// In: the sample corpus (or what the settings name). Out: the three notebooks, run headless and in order; last, a table
// of base against fine-tuned.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './environment.mjs';
import { NOTEBOOKS, runNotebook } from './notebook.mjs';

for (const name of NOTEBOOKS) if (!(await runNotebook(name))) process.exit(1);

// The evaluate notebook's last act is a line in the run log.
const log = path.resolve(ROOT, 'notebooks', process.env.RESULTS_DIR || '../results', 'runs.jsonl');
const { results } = JSON.parse(fs.readFileSync(log, 'utf8').trimEnd().split('\n').at(-1));
const metrics = Object.keys(Object.values(results)[0]);
const widths = [Math.max(...Object.keys(results).map(({ length }) => length)), ...metrics.map(({ length }) => length)];
const line = (cells) => cells.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ');
console.log(`\n${line(['', ...metrics])}`);
for (const [retriever, values] of Object.entries(results)) {
  console.log(line([retriever, ...metrics.map((metric) => values[metric].toFixed(3))]));
}
