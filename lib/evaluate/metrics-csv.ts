// In: metrics. Out: a row in the CSV that sentence-transformers' InformationRetrievalEvaluator writes.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../common/files';
import { METRIC_NAMES, type Metrics } from './metrics';

/**
 * Adds a row to `Information-Retrieval_evaluation_<name>_results.csv` in `folder`, with its header if the file is new.
 *
 * @param scores metrics by the name of the score function (`cosine`, `dot`, `bm25`, …); columns are in order of these names
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
