// In: a run as results/runs.jsonl holds it. Out: its numbers as README and the terminal show them.

/** A metric with its 95% interval: `0.771 (0.712–0.829)`. */
export function withInterval({ results, intervals }, retriever, metric) {
  const [value, low, high] = [results[retriever][metric], ...intervals[retriever][metric]].map((x) => x.toFixed(3));
  return `${value} (${low}–${high})`;
}

/** README's rows: which retriever, and how it is told there. */
const ROWS = {
  base: 'all-MiniLM-L6-v2, one vector a chunk',
  'base, windows': 'the same, a chunk scored by its windows',
  'fine-tuned, windows': '**fine-tuned so, on questions asked offline**',
  'BM25, windows': 'BM25, keyword search alone, by windows',
  'base, words + windows': 'not trained, by words and windows',
  'fine-tuned, words + windows': '**fine-tuned, by words and windows**',
  'base, words + windows + BM25 by score': 'not trained, words, windows and keywords',
  'fine-tuned, words + windows + BM25 by score': '**fine-tuned, words, windows and keywords**',
};
const METRICS = ['hit rate@5', 'MRR@10', 'MAP@100'];
const [BEGIN, END] = ['<!-- results: npm run notebooks:update writes them -->\n', '<!-- end of results -->'];

/** README's table of a run. */
export function resultTable(run) {
  const rows = Object.entries(ROWS).map(([retriever, title]) => [
    title,
    ...METRICS.map((metric) => withInterval(run, retriever, metric)),
  ]);
  return [['', ...METRICS], ['---', '---', '---', '---'], ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

/** Where in README the table stands. */
const placeOf = (readme) => [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];

/** The table that stands in README. */
export const readResults = (readme) => readme.slice(...placeOf(readme));

/** README with another table. */
export function replaceResults(readme, table) {
  const [from, to] = placeOf(readme);
  return readme.slice(0, from) + table + readme.slice(to);
}

/** The cells of README's table by retriever: `{ base: { 'hit rate@5': '0.5 …' } }`. */
export function parseResults(table) {
  const rows = table
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((row) => row.slice(2, -2).split(' | '));
  const retrieverOf = (title) => Object.keys(ROWS).find((name) => ROWS[name] === title);
  return Object.fromEntries(
    rows.map(([title, ...cells]) => [
      retrieverOf(title),
      Object.fromEntries(METRICS.map((name, i) => [name, cells[i]])),
    ]),
  );
}
