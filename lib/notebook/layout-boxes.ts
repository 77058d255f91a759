// In: an SVG element in jsdom, which does no layout. Out: the box it would have on screen, good enough for Plotly to
// place titles, ticks and legends. Text widths come from Helvetica's metrics (Adobe AFM), in thousandths of the size.

type Box = Required<DOMRectInit>;

/** Widths of the characters from ' ' (32) to '~' (126). */
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
  556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
  260, 334, 584,
];

/** Width of a line of text in pixels; a little generous, as fonts standing in for Helvetica are wider. */
function textWidth(text: string, fontSize: number, bold = false): number {
  let thousandths = 0;
  for (const character of text) thousandths += WIDTHS[(character.codePointAt(0) as number) - 32] ?? 600;
  return (thousandths / 1000) * fontSize * (bold ? 1.1 : 1.04);
}

/** A presentation property from the nearest element that sets it, as style or attribute. */
function inherited(element: Element, property: string): string {
  for (let node: Element | null = element; node; node = node.parentElement) {
    const value = (node as SVGElement).style.getPropertyValue(property) || node.getAttribute(property);
    if (value) return value;
  }
  return '';
}

const attribute = (element: Element, name: string): number => Number.parseFloat(element.getAttribute(name) ?? '') || 0;

function textBox(element: Element): Box {
  const fontSize = Number.parseFloat(inherited(element, 'font-size')) || 12;
  const bold = /bold|[6-9]00/.test(inherited(element, 'font-weight'));
  const lineNodes = [...element.querySelectorAll('.line')];
  const lines = (lineNodes.length > 0 ? lineNodes : [element]).map((node) => node.textContent ?? '');
  const width = Math.max(...lines.map((line) => textWidth(line, fontSize, bold)));
  const anchor = inherited(element, 'text-anchor');
  const shift = anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0;
  return {
    x: attribute(element, 'x') - shift,
    y: attribute(element, 'y') - 0.93 * fontSize, // the baseline is at y
    width,
    height: (1.2 + 1.3 * (lines.length - 1)) * fontSize, // Plotly sets lines 1.3 em apart
  };
}

const corners = ({ x, y, width, height }: Box): number[][] => [
  [x, y],
  [x + width, y],
  [x, y + height],
  [x + width, y + height],
];

/** The smallest box around points. */
function around(points: number[][]): Box {
  if (points.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** The box after the element's own `transform` (translations and rotations, the kinds Plotly uses). */
function transformed(element: Element, box: Box): Box {
  const steps = [...(element.getAttribute('transform') ?? '').matchAll(/(translate|rotate)\(([^)]*)\)/g)].reverse();
  const moved = steps.reduce((points, [, kind, list]) => {
    const [a, b = 0, c = 0] = list.split(/[\s,]+/).map(Number);
    if (kind === 'translate') return points.map(([x, y]) => [x + a, y + b]);
    const [sin, cos] = [Math.sin((a * Math.PI) / 180), Math.cos((a * Math.PI) / 180)];
    return points.map(([x, y]) => [b + (x - b) * cos - (y - c) * sin, c + (x - b) * sin + (y - c) * cos]);
  }, corners(box));
  return around(moved);
}

/** `getBBox`: in the element's own coordinates. Plotly asks for texts, and for groups of them. */
export function ownBox(this: Element): Box {
  const name = this.tagName.toLowerCase();
  if (name === 'text' || name === 'tspan') return textBox(this);
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((side) => attribute(this, side));
  if (name !== 'g') return { x, y, width, height };
  const boxes = [...this.children].map((child) => transformed(child, ownBox.call(child)));
  return around(boxes.filter((box) => box.width > 0 || box.height > 0).flatMap(corners));
}

/** `getBoundingClientRect`: in the page's coordinates. */
export function clientBox(this: Element) {
  let box = ownBox.call(this);
  for (let node: Element | null = this; node; node = node.parentElement) box = transformed(node, box);
  return { ...box, left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height };
}
