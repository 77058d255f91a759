// In: the SVG that Plotly draws. Out: the same picture as text, in a fraction of the bytes.
// svgo does what holds for any SVG; joining and naming what Plotly repeats comes first, and saves most.
import { optimize } from 'svgo';

/** Style declarations that say what holds anyway. */
const DEFAULTS = new RegExp(
  '(?:^|;)\\s*(?:opacity: 1|(?:stroke|fill)-opacity: 1|vector-effect: none|white-space: pre|font-style: normal' +
    '|font-variant: normal|font-weight: normal|font-family: [^;]+|stroke-miterlimit: 2|pointer-events: [a-z]+' +
    '|text-shadow: none|text-transform: none|cursor: [a-z-]+)(?=;|$)',
  'g',
);

/** Plotly's marker circle. */
const CIRCLE = /^M([\d.]+),0A\1,\1 0 1,1 0,-\1A\1,\1 0 0,1 \1,0Z$/;

/** Markers of one trace that look the same: many of them become one path of round dots. */
function joinDots(group: Element): void {
  const points = [...group.children].filter((point) => CIRCLE.test(point.getAttribute('d') ?? ''));
  const kinds = new Map<string, Element[]>();
  for (const point of points) {
    const kind = `${point.getAttribute('d')}|${point.getAttribute('style')}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), point]);
  }
  for (const [kind, alike] of kinds) {
    if (alike.length < 60) continue;
    const [shape, style] = kind.split('|');
    const color = /(?:^|[\s;])fill: ([^;]+)/.exec(style)?.[1] ?? 'gray';
    const opacity = /(?:^|[\s;])opacity: ([^;]+)/.exec(style)?.[1] ?? '1';
    const width = 2 * Number(CIRCLE.exec(shape)?.[1]);
    const places = alike.map((point) => (point.getAttribute('transform') ?? '').replace(/translate\(|\)/g, ''));
    const [first, ...others] = alike;
    first.removeAttribute('transform');
    first.setAttribute('d', places.map((place) => `M${place}h0`).join(''));
    first.setAttribute(
      'style',
      `fill: none; stroke: ${color}; stroke-width: ${width}; stroke-linecap: round; opacity: ${opacity}`,
    );
    for (const point of others) point.remove();
  }
}

/** A stroke of no width is no stroke. */
const dropInvisibleStroke = (style: string): string =>
  /(?:^|[;\s])stroke-width: 0(?:px)?(?:;|$)/.test(style)
    ? style.replace(/(?:^|;)\s*stroke(?:-[a-z]+)?: [^;]+/g, '')
    : style;

/** Styles used again and again become classes. */
function shareStyles(svg: Element): void {
  const users = new Map<string, Element[]>();
  for (const element of svg.querySelectorAll('[style]')) {
    const written = dropInvisibleStroke((element.getAttribute('style') ?? '').replace(/;\s*$/, ''));
    const style = written.replace(DEFAULTS, '').replace(/^[;\s]+/, '');
    if (style) element.setAttribute('style', style);
    else element.removeAttribute('style');
    if (style) users.set(style, [...(users.get(style) ?? []), element]);
  }
  const rules: string[] = [];
  for (const [style, elements] of users) {
    if (elements.length < 3) continue;
    const name = `s${rules.length.toString(36)}`;
    rules.push(`.${name}{${style}}`);
    for (const element of elements) {
      element.removeAttribute('style');
      element.setAttribute('class', name);
    }
  }
  const sheet = svg.ownerDocument.createElementNS('http://www.w3.org/2000/svg', 'style');
  sheet.textContent = rules.join('');
  svg.prepend(sheet);
}

/**
 * Slims an `svg` element: many like markers joined in one path, repeated styles shared as classes, numbers to one
 * decimal, what is empty or unused dropped, ids numbered (Plotly's are random; two runs must give the same bytes).
 */
export function slimSvg(svg: Element): string {
  for (const group of svg.querySelectorAll('g.points')) joinDots(group);
  for (const element of [svg, ...svg.querySelectorAll('*')]) {
    for (const name of ['class', 'data-unformatted', 'data-math', 'data-notex', 'pointer-events'])
      element.removeAttribute(name);
  }
  shareStyles(svg);
  const { XMLSerializer } = svg.ownerDocument.defaultView as Window & typeof globalThis;
  return optimize(new XMLSerializer().serializeToString(svg), {
    floatPrecision: 1,
    plugins: ['preset-default', { name: 'cleanupIds', params: { force: true } }], // there is no script
  }).data;
}
