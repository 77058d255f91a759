// The three notebooks, headless and in order, on the sample corpus (or what the settings name); last, base against fine-tuned.
import fs from 'node:fs';
import path from 'node:path';
import { printTable } from '../bench/table.mjs';
import { ROOT } from './environment.mjs';
import { NOTEBOOKS, runNotebook } from './notebook.mjs';
import { withInterval } from './results.mjs';

for (const name of NOTEBOOKS) if (!(await runNotebook(name))) process.exit(1);

// The evaluate notebook's last act is a line in the run log.
const log = path.resolve(ROOT, 'notebooks', process.env.RESULTS_DIR || '../results', 'runs.jsonl');
const run = JSON.parse(fs.readFileSync(log, 'utf8').trimEnd().split('\n').at(-1));
const metrics = Object.keys(Object.values(run.results)[0]).filter((metric) => /hit rate|MRR|MAP/.test(metric));
const measuredOn = run.data.test
  ? 'On the test questions, by which nothing was chosen'
  : 'On the validation questions, by which the checkpoint was chosen: a little flattered';
console.log(`\n${measuredOn}; in brackets 95% intervals`);
const cellsOf = (retriever) => metrics.map((metric) => withInterval(run, retriever, metric));
printTable(
  ['', ...metrics],
  Object.keys(run.results).map((retriever) => [retriever, ...cellsOf(retriever)]),
);
