// In: losses and evaluations so far. Out: the curve of a training, for a live figure.

import { escapeHtml } from '../escape';
import type { Chart } from '../theme';
import { BLUE, VERMILLION } from '../theme';

/** A training's course. Steps count from 1. */
export interface TrainingCurve {
  losses: { step: number; loss: number }[];
  evaluations: { step: number; score: number }[];
  /** What `score`, from 0 to 1, is, such as `MAP@100`. */
  metric: string;
  /** Steps of the whole training: the axis keeps its length while the curve grows. */
  totalSteps?: number;
}

/** Does the loss fall, and does the score on unseen questions rise with it? */
export function lossCurve({ losses, evaluations, metric, totalSteps }: TrainingCurve): Chart {
  // A point of the smoothed curve averages an eighth of the run: of 40 steps, 5 losses.
  const span = Math.max(1, Math.round((totalSteps ?? losses.length) / 8));
  const smooth = losses.map((_, i) => {
    const window = losses.slice(Math.max(0, i - span + 1), i + 1);
    return window.reduce((sum, { loss }) => sum + loss, 0) / window.length;
  });
  const steps = losses.map(({ step }) => step);
  return [
    [
      {
        type: 'scatter',
        mode: 'lines',
        name: 'loss of each batch',
        x: steps,
        y: losses.map(({ loss }) => loss),
        line: { color: BLUE, width: 1 },
        opacity: 0.6,
      },
      {
        type: 'scatter',
        mode: 'lines',
        name: `loss, average of ${span}`,
        x: steps,
        y: smooth,
        line: { color: BLUE, width: 2.5 },
      },
      {
        type: 'scatter',
        mode: 'lines+markers',
        name: `${escapeHtml(metric)} (right)`,
        x: evaluations.map(({ step }) => step),
        y: evaluations.map(({ score }) => score),
        yaxis: 'y2',
        cliponaxis: false,
        line: { color: VERMILLION, width: 2, dash: 'dot' },
        marker: { size: 8 },
      },
    ],
    {
      xaxis: { title: { text: 'step' }, ...(totalSteps ? { range: [0, totalSteps] } : { rangemode: 'tozero' }) },
      yaxis: { title: { text: 'loss' }, rangemode: 'tozero' },
      yaxis2: {
        title: { text: escapeHtml(metric) },
        overlaying: 'y',
        side: 'right',
        showgrid: false,
        range: [0, 1],
        tickmode: 'auto',
      },
      margin: { r: 60, t: 80 },
      hovermode: 'x unified',
      hoverlabel: { bgcolor: '#ffffff', font: { color: '#333333' } },
    },
    { title: 'Training loss and evaluations' },
  ];
}
