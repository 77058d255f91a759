// In: the stages before. Out: what the notebooks show of them.
export { askWithProgress, datasetToMeasure, showAccount, showCost } from './asking';
export { embeddingMap } from './charts/embedding-map';
export { fusionCurve } from './charts/fusion-curve';
export { similarityHistogram, tokenLengthHistogram } from './charts/histograms';
export { hitRateCurve } from './charts/hit-rate-curve';
export { lossCurve } from './charts/loss-curve';
export { metricBars } from './charts/metric-bars';
export { rankChanges } from './charts/rank-changes';
export { comparableRuns, runsComparison, stageTimes } from './charts/runs';
export { similarityMatrix } from './charts/similarity-matrix';
export { hoverText, shorten } from './escape';
export {
  cardResults,
  comparisonRows,
  costRows,
  evaluateWithProgress,
  groupRows,
  type Summary,
  summarize,
} from './evaluating';
export { check } from './exercises';
export { figure, figureSvg, liveFigure } from './figure';
export type { Chart, Layout, Trace } from './figure-types';
export { stoppable } from './interrupt';
export { trainLive } from './live-training';
export { progressBar } from './progress';
export { replaceEarlier } from './replace';
export { setting } from './settings';
export { type Row, table } from './table';
export { note, preformatted, questionsBesideChunk, wonAndLost } from './text';
export { fitWindows, windowRow } from './window-setup';
