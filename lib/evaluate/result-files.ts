// In: evaluations. Out: their files: a row in the CSV that sentence-transformers' InformationRetrievalEvaluator writes,
// and the original notebooks' row for every query.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../common/files';
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
