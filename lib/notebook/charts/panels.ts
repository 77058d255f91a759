// In: the names of panels that stand beside each other. Out: where each lies, and the annotations that title them.
import { hoverText } from '../escape';

/** A panel's place among several: its axes' suffix in Plotly's names (`xaxis2`), its share of the width. */
export interface PanelPlace {
  suffix: string;
  domain: [left: number, right: number];
}

/** @param gap between two panels, as a share of the figure's width */
export function panelsBeside(names: string[], gap: number): { places: PanelPlace[]; titles: object[] } {
  const width = (1 - gap * (names.length - 1)) / names.length;
  const places = names.map((_, i): PanelPlace => {
    const left = i * (width + gap);
    return { suffix: i === 0 ? '' : String(i + 1), domain: [left, left + width] };
  });
  const titles = places.map(({ domain: [left, right] }, i) => ({
    text: hoverText(names[i]),
    x: (left + right) / 2,
    y: 1,
    xref: 'paper',
    yref: 'paper',
    yanchor: 'bottom',
    showarrow: false,
    font: { size: 13 },
  }));
  return { places, titles };
}
