// A name and a place → Plotly's annotation that stands over one of several panels beside each other.
import { hoverText } from '../escape';

/** @param x the panel's middle, as a share of the figure's width */
export const panelTitle = (name: string, x: number) => ({
  text: hoverText(name),
  x,
  y: 1,
  xref: 'paper',
  yref: 'paper',
  yanchor: 'bottom',
  showarrow: false,
  font: { size: 13 },
});
