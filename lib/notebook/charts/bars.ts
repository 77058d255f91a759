// In: metrics of models, durations, scores of runs. Out: bars, their numbers on top.
import type { LoggedRun } from '../../evaluate/result-files';
import type { TrainResult } from '../../train/train';
import { hoverText } from '../escape';
import { formatSeconds } from '../progress';
import { BLUE, type Chart, modelColor, SKY_BLUE, VERMILLION } from '../theme';

const NUMBERED = { type: 'bar', textposition: 'outside', cliponaxis: false } as const;

/**
 * Which model finds the right chunk most often, and how high does it rank it?
 * @param models each one's metrics, such as `{ 'hit rate@5': 0.84, 'MRR@10': 0.71 }`: from 0 to 1
 */
export function metricBars(models: { model: string; metrics: Record<string, number> }[]): Chart {
  const names = [...new Set(models.flatMap(({ metrics }) => Object.keys(metrics)))];
  return [
    models.map(({ model, metrics }) => ({
      ...NUMBERED,
      name: hoverText(model),
      x: names,
      y: names.map((name) => metrics[name] ?? null),
      text: names.map((name) => metrics[name]?.toFixed(2) ?? ''),
      marker: { color: modelColor(model) },
      hovertemplate: `${hoverText(model)}<br>%{x}: %{y:.3f}<extra></extra>`,
    })),
    {
      barmode: 'group',
      legend: { y: -0.1, yanchor: 'top' }, // Below: many models' names take several lines.
      yaxis: { range: [0, 1.1], dtick: 0.2, title: { text: 'score' } }, // Room for the number on a bar that reaches 1.
    },
    { title: 'Models compared' },
  ];
}

/** Where did the time of a training go? Seconds of its steps and of its evaluations. */
export function stageTimes({ steps, evaluations }: Pick<TrainResult, 'steps' | 'evaluations'>): Chart {
  const inSeconds = (list: { milliseconds: number }[]) => list.map(({ milliseconds }) => milliseconds / 1000);
  const [stepTimes, evaluationTimes] = [inSeconds(steps).sort((a, b) => a - b), inSeconds(evaluations)];
  const median = stepTimes[steps.length >> 1] ?? 0;
  const totals = [stepTimes, evaluationTimes].map((times) => times.reduce((a, b) => a + b, 0));
  return [
    [
      {
        ...NUMBERED,
        orientation: 'h',
        name: 'time',
        x: totals,
        y: [`${steps.length} training steps, ${median.toFixed(1)} s each`, `${evaluations.length} evaluations`],
        text: totals.map(formatSeconds),
        marker: { color: BLUE },
        hovertemplate: '%{y}: %{text}<extra></extra>',
      },
    ],
    {
      height: 174,
      showlegend: false,
      xaxis: { title: { text: 'seconds' } },
      yaxis: { autorange: 'reversed', showgrid: false },
      margin: { r: 80 },
    },
    { title: 'Time per stage' },
  ];
}

/**
 * The scores of earlier runs and of this one, oldest first, and for the hover label what was set: those on the same
 * data that measured `retriever` by `metric`. A run of other settings may lack either.
 */
export function comparableRuns(log: LoggedRun[], run: LoggedRun, retriever: string, metric: string) {
  const data = JSON.stringify(run.data);
  return log.flatMap((each) => {
    const score = each.results[retriever]?.[metric];
    if (JSON.stringify(each.data) !== data || score === undefined) return [];
    return [{ name: each.time.slice(5, 16).replace('T', ' '), score, settings: each.settings }];
  });
}

/** Did the change help? Earlier runs in order, the last one marked; the untrained model as a dashed line. */
export function runsComparison(runs: ReturnType<typeof comparableRuns>, metric: string, baseScore: number): Chart {
  const details = runs.map(({ settings }) => Object.entries(settings).map(([key, value]) => `${key} = ${value}`));
  const places = [...runs.keys()];
  const base = { xref: 'paper', y: baseScore, text: `base ${baseScore.toFixed(3)}`, showarrow: false };
  const line = { color: BLUE, dash: 'dash' };
  return [
    [
      {
        ...NUMBERED,
        name: 'runs',
        x: places,
        y: runs.map(({ score }) => score),
        text: runs.map(({ score }) => score.toFixed(3)),
        customdata: details.map((lines) => lines.map((line) => hoverText(line)).join('<br>')),
        marker: { color: places.map((i) => (i === runs.length - 1 ? VERMILLION : SKY_BLUE)) },
        hovertemplate: '%{text}<br>%{customdata}<extra></extra>',
      },
    ],
    {
      showlegend: false,
      margin: { r: 100 },
      xaxis: { tickvals: places, ticktext: runs.map(({ name }) => name), showgrid: false },
      yaxis: { title: { text: metric }, rangemode: 'tozero' },
      shapes: [{ xref: 'paper', type: 'line', x0: 0, x1: 1, y0: baseScore, y1: baseScore, line }],
      annotations: [{ ...base, x: 1, xanchor: 'left', yanchor: 'middle' }],
    },
    { title: 'This run beside earlier ones' },
  ];
}
