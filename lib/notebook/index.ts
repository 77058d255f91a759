// In: the stages before. Out: what the notebooks show of them.
export { askWithProgress, datasetToMeasure, showAccount, showCost } from './asking';
export { replaceEarlier } from './cells';
export { comparableRuns, metricBars, runsComparison, stageTimes } from './charts/bars';
export { fusionCurve, hitRateCurve } from './charts/curves';
export { embeddingMap } from './charts/embedding-map';
export { similarityHistogram, tokenLengthHistogram } from './charts/histograms';
export { rankChanges, scoreOverSize } from './charts/points';
export { similarityMatrix } from './charts/similarity-matrix';
export { shorten } from './escape';
export {
  cardResults,
  comparisonRows,
  costRows,
  evaluateWithProgress,
  groupRows,
  summarize,
  windowRow,
} from './evaluating';
export { check } from './exercises';
export { figure } from './figure';
export { trainLive } from './live-training';
export { note, preformatted } from './output';
export { progressBar } from './progress';
export { setting } from './settings';
export { questionsBesideChunk, table, wonAndLost } from './table';
export type { Chart } from './theme';
