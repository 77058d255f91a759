// In: an evaluation. Out: the original notebooks' row for every query, and a file of them.

import { writeWhole } from '../common/files';
import type { EvaluationResult } from './evaluation';

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
