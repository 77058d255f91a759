// In: the three notebooks, as their committed settings say. Out: their executed copies in place of the committed ones,
// with docs/result.svg, the result as a picture. Nothing is replaced unless all of them ran and are fit to be
// published.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './environment.mjs';
import { NOTEBOOKS, runNotebook } from './notebook.mjs';
import { replaceResults, resultTable } from './results.mjs';
import { writeWhole } from './setup/steps.mjs';

/** Bytes that a notebook, and one output in it, may take. */
export const MAX_BYTES = { notebook: 500_000, output: 100_000 };

const text = (lines) => [lines ?? ''].flat().join('');
const sources = ({ cells }) => JSON.stringify(cells.map(({ source }) => text(source)));
const codeCells = ({ cells }) => cells.filter((cell) => cell.cell_type === 'code');

/** Hash of a notebook's code: outputs belong to it if the notebook's metadata say the same. */
export function codeHash(notebook) {
  const sources = codeCells(notebook).map(({ source }) => text(source));
  return createHash('sha256').update(JSON.stringify(sources)).digest('hex');
}

/** What a reader can see of an output: still pictures are looked into. */
function visible(output) {
  return JSON.stringify(output).replace(/data:image\/svg\+xml;base64,([A-Za-z0-9+/=]+)/g, (_, data) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
}

/**
 * What of a notebook's outputs must not be published, a sentence each.
 *
 * @param {string} name for the sentences
 * @param {object} notebook as read from its file
 * @param {string[]} [folders] folders of this machine that must not show
 */
export function findProblems(name, notebook, folders = [ROOT, os.homedir(), os.tmpdir()]) {
  const problems = [];
  const size = Buffer.byteLength(serialize(notebook));
  if (size > MAX_BYTES.notebook)
    problems.push(`${name} takes ${size} bytes; at most ${MAX_BYTES.notebook} are allowed.`);
  codeCells(notebook).forEach((cell, i) => {
    for (const output of cell.outputs) {
      const where = `${name}, code cell ${i + 1}`;
      const shown = visible(output);
      const bytes = Buffer.byteLength(JSON.stringify(output));
      if (output.output_type === 'error' || output.name === 'stderr') problems.push(`${where} shows an error.`);
      if (bytes > MAX_BYTES.output)
        problems.push(`${where} has an output of ${bytes} bytes; at most ${MAX_BYTES.output} are allowed.`);
      const folder = folders.find((each) => each.length > 1 && shown.includes(each));
      const path = folder ?? /(?<![\w.:/-])\/(?:home|Users|root|tmp)\/[\w.-]+/.exec(shown)?.[0];
      if (path) problems.push(`${where} shows a path of this machine: ${path}`);
      if (/\bsk-[A-Za-z0-9_-]{16,}/.test(shown)) problems.push(`${where} shows what looks like an API key.`);
    }
  });
  return problems;
}

/** A notebook's file, as Jupyter writes it. */
export function serialize(notebook) {
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

/** The executed notebook as it is committed: nothing in it depends on when it ran, but what the cells print. */
export function publishable(executed) {
  const { kernelspec, language_info } = executed.metadata;
  let count = 0;
  const cells = executed.cells.map((cell) =>
    cell.cell_type === 'code' ? { ...cell, execution_count: ++count, metadata: {} } : cell,
  );
  return { ...executed, cells, metadata: { code_sha256: codeHash(executed), kernelspec, language_info } };
}

const sourceFile = (name) => path.join(ROOT, 'notebooks', `${name}.ipynb`);
const readNotebook = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** The settings that the environment would override: the committed outputs are those of the committed settings. */
function forgetSettings() {
  const code = NOTEBOOKS.map((name) =>
    text(readNotebook(sourceFile(name)).cells.flatMap(({ source }) => source)),
  ).join();
  const names = [...code.matchAll(/\bsetting\('(\w+)'/g)].map(([, name]) => name);
  for (const name of [...names, 'OPENAI_API_KEY', 'OPENAI_BASE_URL']) delete process.env[name];
}

/** Runs all; earlier runs of this machine are kept out of the figure that compares runs, and put back. */
async function runAll(folder) {
  const log = path.join(ROOT, 'results', 'runs.jsonl');
  const earlier = `${log}.earlier`;
  const putBack = () => {
    if (!fs.existsSync(earlier)) return;
    writeWhole(log, fs.readFileSync(earlier, 'utf8') + (fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : ''));
    fs.rmSync(earlier);
  };
  putBack(); // of an update that was killed
  if (fs.existsSync(log)) fs.renameSync(log, earlier);
  try {
    for (const name of NOTEBOOKS)
      if (!(await runNotebook(name, path.join(folder, `${name}.ipynb`))))
        throw new Error(`${name} did not run through.`);
    return fs.readFileSync(log, 'utf8').trimEnd().split('\n').map(JSON.parse).at(-1);
  } finally {
    putBack();
  }
}

/** What the picture compares: few enough to be told apart at a glance. */
const PICTURED = {
  models: ['base', 'base, windows', 'fine-tuned, windows', 'fine-tuned, windows + BM25 by score', 'BM25, windows'],
  metrics: ['hit rate@5', 'MRR@10', 'MAP@100'],
};

/** @param {{ results: Record<string, Record<string, number>> }} run as logged in results/runs.jsonl */
async function resultPicture({ results }) {
  const { default: library } = await import('finetune-embedding');
  const { default: figures } = await import('finetune-embedding/dist/notebook/figure.js');
  const bars = PICTURED.models.map((model) => ({
    model,
    metrics: Object.fromEntries(PICTURED.metrics.map((metric) => [metric, results[model][metric]])),
  }));
  return figures.figureSvg(...library.metricBars(bars));
}

async function main() {
  forgetSettings();
  const folder = path.join(ROOT, 'runs', 'update');
  const run = await runAll(folder);
  const updated = NOTEBOOKS.map((name) => {
    const notebook = publishable(readNotebook(path.join(folder, `${name}.ipynb`)));
    const problems = findProblems(name, notebook);
    if (sources(notebook) !== sources(readNotebook(sourceFile(name))))
      problems.push(`${name} was edited while it ran; run the update again.`);
    return { name, notebook, problems };
  });
  const problems = updated.flatMap((each) => each.problems);
  if (problems.length > 0) throw new Error(`Nothing was replaced.\n${problems.join('\n')}`);
  for (const { name, notebook } of updated) writeWhole(sourceFile(name), serialize(notebook));
  writeWhole(path.join(ROOT, 'docs', 'result.svg'), await resultPicture(run));
  const readme = path.join(ROOT, 'README.md');
  writeWhole(readme, replaceResults(fs.readFileSync(readme, 'utf8'), resultTable(run)));
  console.log(
    `Replaced: ${NOTEBOOKS.map((name) => `notebooks/${name}.ipynb`).join(', ')}, docs/result.svg, README's table`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
