// In: evaluations by the name of their files. Out: a CSV of metrics and a JSON of every question's result for each.
import type { EvaluationResult } from './evaluation';
import type { EmbedderEvaluation } from './evaluator';
import { perQueryRows, writePerQueryRows } from './hit-rate';
import { writeMetricsCsv } from './metrics-csv';

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
