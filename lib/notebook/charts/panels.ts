// In: the names of panels that stand beside each other. Out: a layout with their axes and titles.
import { hoverText } from '../escape';
import type { Layout } from '../theme';

const suffix = (panel: number): string => (panel === 0 ? '' : String(panel + 1));

/** The attributes that put a trace on a panel. */
export const onPanel = (panel: number) => ({ xaxis: `x${suffix(panel)}`, yaxis: `y${suffix(panel)}` });

/**
 * @param gap between two panels, as a share of the figure's width
 * @param axes what a panel's two axes are, but for their place
 */
export function panelsBeside(names: string[], gap: number, axes: (panel: number) => [x: object, y: object]): Layout {
  const width = (1 - gap * (names.length - 1)) / names.length;
  const layout: Layout = {};
  layout.annotations = names.map((name, i) => {
    const left = i * (width + gap);
    const [x, y] = axes(i);
    layout[`xaxis${suffix(i)}`] = { ...x, domain: [left, left + width], anchor: `y${suffix(i)}` };
    layout[`yaxis${suffix(i)}`] = { ...y, anchor: `x${suffix(i)}` };
    const above = { xref: 'paper', yref: 'paper', x: left + width / 2, y: 1, yanchor: 'bottom' };
    return { ...above, text: hoverText(name), font: { size: 13 }, showarrow: false };
  });
  return layout;
}
