// In: an evaluation. Out: its files: a row in the CSV that sentence-transformers' InformationRetrievalEvaluator writes,
// and the original notebooks' row for every query.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../common/files';
import type { EvaluationResult } from './evaluation';
import type { EmbedderEvaluation } from './evaluator';
import { METRIC_NAMES, type Metrics } from './metrics';

/**
 * Adds a row to `Information-Retrieval_evaluation_<name>_results.csv` in `folder`, with its header if the file is new.
 *
 * @param scores metrics by the name of the score function (`cosine`, `dot`, `bm25`, …), the order of the columns
 * @param progress epoch and step of a running training; −1 and −1, as in Python, outside one
 * @returns the file's path
 * @throws {Error} if the file is there with other columns.
 */
export function writeMetricsCsv(
  folder: string,
  name: string,
  scores: Partial<Record<string, Metrics>>,
  progress: { epoch: number; steps: number } = { epoch: -1, steps: -1 },
): string {
  const path = join(folder, `Information-Retrieval_evaluation${name ? `_${name}` : ''}_results.csv`);
  const functions = Object.keys(scores)
    .filter((key) => scores[key])
    .sort();
  const header = ['epoch', 'steps', ...functions.flatMap((key) => METRIC_NAMES.map((metric) => `${key}-${metric}`))];
  const values = functions.flatMap((key) => METRIC_NAMES.map((metric) => pythonFloat(scores[key]![metric])));
  const row = `${[progress.epoch, progress.steps, ...values].join(',')}\n`;
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

/** One query in the original's `evaluate` function: was the expected chunk among the first `topK`? */
export interface HitRateRow {
  is_hit: boolean;
  /** Ids of the first `topK` chunks, best first. */
  retrieved: string[];
  /** The relevant chunk; of several, the best placed among `retrieved`, else the first. */
  expected: string;
  /** Query id. */
  query: string;
}

/** The rows of the original's hit-rate evaluation, in the dataset's order; the mean of `is_hit` is the hit rate. */
export function perQueryRows(result: EvaluationResult): HitRateRow[] {
  return result.perQuery.map(({ queryId, expected, retrieved, isHit }) => ({
    is_hit: isHit,
    retrieved,
    expected: retrieved.find((id) => expected.includes(id)) ?? expected[0],
    query: queryId,
  }));
}

/**
 * Writes the rows to `path`: a JSON array if it ends in `.json`, a table with a header if it ends in `.csv`
 * (`retrieved` then holds ids with spaces between).
 *
 * @throws {Error} if the path ends in neither.
 */
export function writePerQueryRows(path: string, rows: HitRateRow[]): void {
  if (path.endsWith('.json')) {
    writeWhole(path, `${JSON.stringify(rows, null, 1)}\n`);
  } else if (path.endsWith('.csv')) {
    const lines = rows.map((row) => [String(row.is_hit), row.retrieved.join(' '), row.expected, row.query]);
    const table = [['is_hit', 'retrieved', 'expected', 'query'], ...lines];
    writeWhole(path, table.map((cells) => `${cells.map(csvCell).join(',')}\n`).join(''));
  } else {
    throw new Error(`${path}: per-query rows are written as .json or .csv.`);
  }
}

/** RFC 4180: quotes around a cell that needs them, quotes inside doubled. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes `Information-Retrieval_evaluation_NAME_results.csv`, as sentence-transformers does, and `per_query_NAME.json`
 * for each evaluation. A ranking without embeddings (BM25) has one score, which the CSV calls by `NAME`.
 */
export function writeEvaluations(
  dir: string,
  evaluations: Record<string, EvaluationResult | EmbedderEvaluation>,
): void {
  for (const [name, result] of Object.entries(evaluations)) {
    writeMetricsCsv(dir, name, 'scores' in result ? result.scores : { [name]: result.metrics });
    writePerQueryRows(`${dir}/per_query_${name}.json`, perQueryRows(result));
  }
}
