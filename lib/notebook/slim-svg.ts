// The SVG that Plotly writes → the same picture in a fraction of the bytes.

/** Style declarations that say what holds anyway. */
const DEFAULTS =
  /(?:^|;)\s*(?:opacity: 1|(?:stroke|fill)-opacity: 1|vector-effect: none|white-space: pre|font-style: normal|font-variant: normal|font-weight: normal|font-family: [^;]+|stroke-miterlimit: 2|pointer-events: [a-z]+|text-shadow: none|text-transform: none|cursor: [a-z-]+)(?=;|$)/g;

/** Plotly's marker circle. */
const CIRCLE = /^M([\d.]+),0A\1,\1 0 1,1 0,-\1A\1,\1 0 0,1 \1,0Z$/;

const round = (text: string): string =>
  text.replace(/-?\d*\.\d{2,}(?:e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(1))));

function hex(style: string): string {
  return style.replace(
    /rgb\((\d+), (\d+), (\d+)\)/g,
    (_, ...rgb: string[]) =>
      `#${rgb
        .slice(0, 3)
        .map((value) => Number(value).toString(16).padStart(2, '0'))
        .join('')}`,
  );
}

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
    const style = kind.split('|')[1];
    const color = /(?:^|[\s;])fill: ([^;]+)/.exec(style)?.[1] ?? 'gray';
    const opacity = /(?:^|[\s;])opacity: ([^;]+)/.exec(style)?.[1] ?? '1';
    const radius = Number(CIRCLE.exec(kind.split('|')[0])?.[1]);
    const places = alike.map((point) => round((point.getAttribute('transform') ?? '').replace(/translate\(|\)/g, '')));
    const first = alike[0];
    first.removeAttribute('transform');
    first.setAttribute('d', places.map((place) => `M${place}h0`).join(''));
    first.setAttribute(
      'style',
      `fill: none; stroke: ${color}; stroke-width: ${2 * radius}; stroke-linecap: round; opacity: ${opacity}`,
    );
    for (const point of alike.slice(1)) point.remove();
  }
}

/** A stroke of no width is no stroke. */
function dropInvisibleStroke(style: string): string {
  return /(?:^|[;\s])stroke-width: 0(?:px)?(?:;|$)/.test(style)
    ? style.replace(/(?:^|;)\s*stroke(?:-[a-z]+)?: [^;]+/g, '')
    : style;
}

/** Styles used again and again become classes. */
function shareStyles(svg: Element): void {
  const users = new Map<string, Element[]>();
  for (const element of svg.querySelectorAll('[style]')) {
    const written = dropInvisibleStroke((element.getAttribute('style') ?? '').replace(/;\s*$/, ''));
    const style = hex(round(written).replace(DEFAULTS, ''))
      .replace(/^[;\s]+/, '')
      .replace(/\s*([:;])\s*/g, '$1');
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

/** Drops definitions that nothing uses, and numbers the others: Plotly's ids are random, two runs must give the same bytes. */
function nameDefinitions(svg: Element): void {
  const used = new Set([...svg.outerHTML.matchAll(/#([\w-]+)/g)].map(([, id]) => id));
  const names = new Map<string, string>();
  for (const element of svg.querySelectorAll('[id]')) {
    if (used.has(element.id)) {
      names.set(element.id, `d${names.size}`);
      element.id = names.get(element.id) as string;
    } else if (element.closest('defs') && element.tagName !== 'defs') element.remove();
    else element.removeAttribute('id');
  }
  const renamed = (text: string): string =>
    text.replace(/#([\w-]+)/g, (link, id) => (names.has(id) ? `#${names.get(id)}` : link));
  for (const element of svg.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      if (value.includes('#')) element.setAttribute(name, renamed(value));
    }
  }
  for (const sheet of svg.querySelectorAll('style')) sheet.textContent = renamed(sheet.textContent ?? '');
}

/**
 * Slims an `svg` element in place: numbers to one decimal, empty groups, unused definitions and default styles dropped,
 * repeated styles shared as classes, many like markers joined in one path.
 */
export function slimSvg(svg: Element): void {
  for (const group of svg.querySelectorAll('g.points')) joinDots(group);
  for (const element of [svg, ...svg.querySelectorAll('*')]) {
    element.removeAttribute('class');
    if (!element.getAttribute('transform')) element.removeAttribute('transform');
    for (const name of ['data-unformatted', 'data-math', 'data-notex', 'pointer-events']) element.removeAttribute(name);
    for (const name of ['d', 'transform', 'x', 'y', 'width', 'height']) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, round(value));
    }
  }
  shareStyles(svg);
  nameDefinitions(svg);
  // Innermost first, so that groups of nothing but empty groups go too.
  for (const element of [...svg.querySelectorAll('g, defs, path')].reverse()) {
    const empty =
      element.tagName === 'path' ? /^(?:M0,0(?:Z)?)?$/.test(element.getAttribute('d') ?? '') : !element.firstChild;
    if (empty) element.remove();
    else if (element.tagName === 'g' && element.attributes.length === 0) element.replaceWith(...element.childNodes);
  }
}
