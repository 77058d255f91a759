// In: evaluations, and runs. Out: their files: a row in the CSV of sentence-transformers' evaluator, the original
// notebooks' row for every query, and a line a run in results/runs.jsonl, to be read back.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../common/files';
import { scrub } from '../common/openai';
import type { EvaluationResult } from './evaluation';
import type { EmbedderEvaluation } from './evaluator';
import { METRIC_NAMES, type Metrics } from './metrics';

/**
 * Adds a row to `Information-Retrieval_evaluation_<name>_results.csv` in `folder`, with its header if the file is new.
 * Epoch and step are −1, as in Python outside of a training.
 *
 * @param scores metrics by the name of the score function (`cosine`, `dot`, `bm25`, …)
 * @returns the file's path
 * @throws {Error} if the file is there with other columns.
 */
export function writeMetricsCsv(folder: string, name: string, scores: Record<string, Metrics>): string {
  const path = join(folder, `Information-Retrieval_evaluation_${name}_results.csv`);
  const functions = Object.keys(scores).sort();
  const header = ['epoch', 'steps', ...functions.flatMap((key) => METRIC_NAMES.map((metric) => `${key}-${metric}`))];
  const values = functions.flatMap((key) => METRIC_NAMES.map((metric) => pythonFloat(scores[key][metric])));
  const row = `${[-1, -1, ...values].join(',')}\n`;
  let before = `${header.join(',')}\n`;
  if (existsSync(path)) {
    const existing = readFileSync(path, 'utf8');
    if (!existing.startsWith(before)) {
      throw new Error(`${path} has other columns than this result: move it away, or use another name or folder.`);
    }
    before = existing;
  }
  writeWhole(path, before + row);
  return path;
}

/** A number between 0 and 1 as Python's `str` prints it: `1.0`, `0.25`, `1e-05`. */
function pythonFloat(value: number): string {
  if (Number.isInteger(value)) return value.toFixed(1);
  const text = value < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e-(\d)$/, 'e-0$1');
}

/**
 * Writes `Information-Retrieval_evaluation_NAME_results.csv`, as sentence-transformers does, and `per_query_NAME.json`
 * for each evaluation: the rows of the original's `evaluate` function, whose mean of `is_hit` is the hit rate. Of
 * several relevant chunks, `expected` is the best placed among `retrieved`, else the first. A ranking without
 * embeddings (BM25) has one score, which the CSV calls by `NAME`.
 */
export function writeEvaluations(dir: string, evaluations: Record<string, EvaluationResult | EmbedderEvaluation>) {
  for (const [name, result] of Object.entries(evaluations)) {
    writeMetricsCsv(dir, name, 'scores' in result ? result.scores : { [name]: result.metrics });
    const rows = result.perQuery.map(({ queryId, expected, retrieved, isHit }) => ({
      is_hit: isHit,
      retrieved,
      expected: retrieved.find((id) => expected.includes(id)) ?? expected[0],
      query: queryId,
    }));
    writeWhole(join(dir, `per_query_${name}.json`), `${JSON.stringify(rows, null, 1)}\n`);
  }
}

/** A run as the log holds it: what it was given, on what, and what it reached. */
export interface LoggedRun {
  /** ISO 8601, UTC. */
  time: string;
  /** What ran, such as `finetune` or `evaluate`. */
  notebook: string;
  /** The settings of its first cell, by name. */
  settings: Record<string, string | number | boolean | null>;
  /** SHA-256 of each data file, by its name: runs compare only where these agree. */
  data: Record<string, string>;
  /** Metrics by the name of what was measured: `{ base: { hitRate: … }, finetuned: { … } }`. */
  results: Record<string, Record<string, number>>;
  /** The ends of each metric's 95% interval, by the same names. */
  intervals?: Record<string, Record<string, [low: number, high: number]>>;
  versions: Record<string, string>;
}

/**
 * Appends a run to a JSON Lines file (made if missing), with the time and the versions of Node and the packages that
 * decide results.
 *
 * @throws {Error} if something in it looks like an API key.
 */
export function appendRun(path: string, run: Omit<LoggedRun, 'time' | 'versions'>): LoggedRun {
  const logged: LoggedRun = { time: new Date().toISOString(), ...run, versions: versions() };
  const line = JSON.stringify(logged);
  if (scrub(line, process.env.OPENAI_API_KEY) !== line) {
    throw new Error('A setting of this run holds an API key: leave it out of the log.');
  }
  const before = existsSync(path) ? readFileSync(path, 'utf8').replace(/[^\n]$/, '$&\n') : '';
  writeWhole(path, `${before}${line}\n`);
  return logged;
}

/**
 * All runs in a log, oldest first; none if there is no log.
 * @throws {Error} if a line is not a run, with its number.
 */
export function readRuns(path: string): LoggedRun[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, i): LoggedRun[] => {
    if (line.trim() === '') return [];
    try {
      const run: LoggedRun = JSON.parse(line);
      if (typeof run.settings === 'object' && typeof run.results === 'object') return [run];
    } catch {} // no JSON
    throw new Error(`${path}, line ${i + 1}, is not a run: repair or remove that line.`);
  });
}

/** From each package's own package.json, which many packages do not export: looked for along Node's folders. */
function versions(): Record<string, string> {
  const found: Record<string, string> = { node: process.versions.node };
  for (const name of ['finetune-embedding', '@tensorflow/tfjs-node', '@huggingface/transformers', 'openai']) {
    const files = require.resolve.paths(name)!.map((folder) => `${folder}/${name}/package.json`);
    const file = files.find((path) => existsSync(path));
    if (file) found[name] = JSON.parse(readFileSync(file, 'utf8')).version;
  }
  return found;
}
