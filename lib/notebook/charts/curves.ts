// In: a training's course, hit rates over k, a metric at each weight of a fusion. Out: their curves.
import type { chooseFusionWeight } from '../../evaluate/fusion';
import type { RunRecord } from '../../train/run/run-record';
import { hoverText } from '../escape';
import { BLUE, type Chart, GREY, modelColor, type Trace, VERMILLION } from '../theme';

const curve = (name: string, points: number[][], color: string, width = 2): Trace => ({
  mode: 'lines+markers',
  name,
  x: points.map(([x]) => x),
  y: points.map(([, y]) => y),
  line: { color, width },
  marker: { color, size: 6 },
});

/**
 * Does the loss fall, and does the score on unseen questions rise with it? The axis has all steps from the start.
 * @param metric what an evaluation's score, from 0 to 1, is, such as `MAP@100`
 */
export function lossCurve({ steps, evaluations }: Pick<RunRecord, 'steps' | 'evaluations'>, metric: string): Chart {
  const totalSteps = steps[0]?.totalSteps;
  // A point of the smoothed curve averages an eighth of the run: of 40 steps, 5 losses.
  const span = Math.max(1, Math.round((totalSteps ?? steps.length) / 8));
  const points = steps.map(({ step, loss }) => [step, loss]);
  const smooth = points.map(([step], i) => {
    const window = steps.slice(Math.max(0, i - span + 1), i + 1);
    return [step, window.reduce((sum, { loss }) => sum + loss, 0) / window.length];
  });
  const right = { overlaying: 'y', side: 'right' };
  const scores = evaluations.map(({ step, score }) => [step, score]);
  return [
    [
      { ...curve('loss of each batch', points, BLUE, 1), mode: 'lines', opacity: 0.6 },
      { ...curve(`loss, average of ${span}`, smooth, BLUE, 2.5), mode: 'lines' },
      {
        ...curve(`${metric} (right)`, scores, VERMILLION),
        yaxis: 'y2',
        cliponaxis: false,
        line: { color: VERMILLION, width: 2, dash: 'dot' },
        marker: { size: 8 },
      },
    ],
    {
      xaxis: { title: { text: 'step' }, ...(totalSteps ? { range: [0, totalSteps] } : { rangemode: 'tozero' }) },
      yaxis: { title: { text: 'loss' }, rangemode: 'tozero' },
      yaxis2: { ...right, title: { text: metric }, range: [0, 1], tickmode: 'auto', showgrid: false },
      margin: { r: 60, t: 80 },
      hovermode: 'x unified',
      hoverlabel: { bgcolor: '#ffffff', font: { color: '#333333' } },
    },
    { title: 'Training loss and evaluations' },
  ];
}

/**
 * How many chunks must one read to find the right one? Bands that overlap: the difference may be chance.
 * @param models each one's hit rate at each `k`, with the bounds of its 95% confidence interval
 */
export function hitRateCurve(
  models: { model: string; points: { k: number; rate: number; low: number; high: number }[] }[],
): Chart {
  const traces = models.flatMap(({ model, points }): Trace[] => {
    const upper = points.map(({ k, high }) => [k, high]);
    const lower = points.map(({ k, low }) => [k, low]).reverse();
    const rates = points.map(({ k, rate }) => [k, rate]);
    const color = modelColor(model);
    return [
      {
        ...curve(`${hoverText(model)}, 95% interval`, [...upper, ...lower], color, 0),
        mode: 'lines',
        fill: 'toself',
        fillcolor: `${color}33`,
        hoverinfo: 'skip',
        showlegend: false,
      },
      {
        ...curve(hoverText(model), rates, color),
        customdata: points.map(({ low, high }) => [low, high]),
        hovertemplate: 'hit rate@%{x}: %{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})',
      },
    ];
  });
  const isLong = models.some(({ points }) => points.some(({ k }) => k > 20));
  return [
    traces,
    {
      xaxis: { title: { text: 'k: chunks read, best first' }, dtick: isLong ? undefined : 1 },
      yaxis: { title: { text: 'hit rate' }, rangemode: 'tozero' },
      margin: { t: 80 },
    },
    {
      title: 'Hit rate over k',
      caption: 'Bands: 95% confidence intervals. Where two overlap widely, the difference may be chance.',
    },
  ];
}

/**
 * How much should keyword search count beside the model? 0: the model alone.
 *
 * @param chosen what {@link chooseFusionWeight} returned
 */
export function fusionCurve(chosen: ReturnType<typeof chooseFusionWeight>, metric: string): Chart {
  const points = chosen.curve.map(({ weight, value }) => [weight, value]);
  const best = points.filter(([weight]) => weight === chosen.weight);
  const common = { hovertemplate: `weight %{x:.4f}: ${metric} %{y:.3f}<extra></extra>`, showlegend: false };
  return [
    [
      { ...curve(metric, points, GREY), ...common },
      {
        ...curve('chosen', best, VERMILLION),
        ...common,
        mode: 'markers+text',
        text: [`weight ${chosen.weight}`],
        textposition: 'top center',
        marker: { color: VERMILLION, size: 11 },
      },
    ],
    {
      xaxis: { title: { text: 'weight: what a point of BM25 adds to the cosine; 0 is the model alone' } },
      yaxis: { title: { text: `${metric} on the validation questions` } },
      margin: { t: 60 },
    },
    {
      title: 'Model and keywords together',
      caption: 'Chosen on the validation questions, then used on those that are reported.',
    },
  ];
}
