// In: nothing. Out: the shapes that charts hand to a figure.

/** One Plotly trace: https://plotly.com/javascript/reference/ lists the attributes of each type. */
export interface Trace {
  type?: 'scatter' | 'bar' | 'heatmap' | 'histogram' | 'box' | 'violin';
  name?: string;
  [attribute: string]: unknown;
}

/** A Plotly layout: https://plotly.com/javascript/reference/layout/ */
export interface Layout {
  /** Pixels; 400 where not given. */
  height?: number;
  [attribute: string]: unknown;
}

/** What stands around the plot. */
export interface FigureOptions {
  /** Shown above the plot and read out by screen readers. */
  title: string;
  /** A sentence below the plot: how to read it. */
  caption?: string;
}

/** A chart's traces, layout and words, in the order `figure` takes them: `await figure(...metricBars(rows))`. */
export type Chart = [traces: Trace[], layout: Layout, options: FigureOptions];
