// In: durations and scores. Out: bars: where the time went, and how this run stands beside earlier ones.

import type { LoggedRun, RunEntry } from '../../evaluate/run-log';
import type { TrainResult } from '../../train/train';
import { hoverText } from '../escape';
import { formatSeconds } from '../progress';
import type { Chart } from '../theme';
import { BLUE, SKY_BLUE, VERMILLION } from '../theme';

/** Where did the time of a training go? Seconds of its steps and of its evaluations. */
export function stageTimes({ steps, evaluations }: Pick<TrainResult, 'steps' | 'evaluations'>): Chart {
  const sum = (list: { milliseconds: number }[]) =>
    list.reduce((all, { milliseconds }) => all + milliseconds, 0) / 1000;
  const median = steps.map(({ milliseconds }) => milliseconds / 1000).sort((x, y) => x - y)[steps.length >> 1] ?? 0;
  const stages = [
    { stage: `${steps.length} training steps, ${median.toFixed(1)} s each`, seconds: sum(steps) },
    { stage: `${evaluations.length} evaluations`, seconds: sum(evaluations) },
  ];
  return [
    [
      {
        type: 'bar',
        orientation: 'h',
        name: 'time',
        x: stages.map(({ seconds }) => seconds),
        y: stages.map(({ stage }) => hoverText(stage)),
        text: stages.map(({ seconds }) => formatSeconds(seconds)),
        textposition: 'outside',
        cliponaxis: false,
        marker: { color: BLUE },
        hovertemplate: '%{y}: %{text}<extra></extra>',
      },
    ],
    {
      height: 110 + 32 * stages.length,
      showlegend: false,
      xaxis: { title: { text: 'seconds' } },
      yaxis: { autorange: 'reversed', showgrid: false },
      margin: { r: 80 },
    },
    { title: 'Time per stage' },
  ];
}

/** One finished training. */
export interface Run {
  name: string;
  score: number;
  /** What was set, for the hover label. */
  settings?: RunEntry['settings'];
}

/**
 * The scores of earlier runs and of this one, oldest first: those on the same data that measured `retriever` by
 * `metric`. A run of other settings may lack either.
 */
export function comparableRuns(log: LoggedRun[], run: LoggedRun, retriever: string, metric: string): Run[] {
  const data = JSON.stringify(run.data);
  return log.flatMap((each) => {
    const score = each.results[retriever]?.[metric];
    if (JSON.stringify(each.data) !== data || score === undefined) return [];
    return [{ name: each.time.slice(5, 16).replace('T', ' '), score, settings: each.settings }];
  });
}

/** Did the change help? Earlier runs in order, the last one marked; the untrained model as a dashed line. */
export function runsComparison(runs: Run[], metric: string, baseScore: number): Chart {
  const detail = ({ settings = {} }: Run): string =>
    Object.entries(settings)
      .map(([key, value]) => hoverText(`${key} = ${value}`))
      .join('<br>');
  return [
    [
      {
        type: 'bar',
        name: 'runs',
        x: runs.map((_, i) => i),
        y: runs.map(({ score }) => score),
        text: runs.map(({ score }) => score.toFixed(3)),
        textposition: 'outside',
        cliponaxis: false,
        customdata: runs.map(detail),
        marker: { color: runs.map((_, i) => (i === runs.length - 1 ? VERMILLION : SKY_BLUE)) },
        hovertemplate: '%{text}<br>%{customdata}<extra></extra>',
      },
    ],
    {
      showlegend: false,
      margin: { r: 100 },
      xaxis: { tickvals: runs.map((_, i) => i), ticktext: runs.map(({ name }) => hoverText(name)), showgrid: false },
      yaxis: { title: { text: hoverText(metric) }, rangemode: 'tozero' },
      shapes: [
        {
          xref: 'paper',
          type: 'line',
          x0: 0,
          x1: 1,
          y0: baseScore,
          y1: baseScore,
          line: { color: BLUE, dash: 'dash' },
        },
      ],
      annotations: [
        {
          xref: 'paper',
          x: 1,
          xanchor: 'left',
          y: baseScore,
          yanchor: 'middle',
          text: `base ${baseScore.toFixed(3)}`,
          showarrow: false,
        },
      ],
    },
    { title: 'This run beside earlier ones' },
  ];
}
