// In: rows of values; chunks and their questions; queries that moved. Out: tables: escaped HTML with aligned numbers in
// a notebook, aligned text in a terminal.
import type { QueryChange } from '../evaluate/evaluation';
import { escapeHtml, shorten } from './escape';
import { type Content, show } from './output';

/** One row: column name → value. A missing, null or NaN value shows as a dash. */
export type Row = Record<string, string | number | boolean | null | undefined>;

interface TableOptions {
  caption?: string;
  /** Which numbers are best: shown bold in every numeric column, or in the named columns only. */
  highlight?: 'max' | 'min' | Record<string, 'max' | 'min'>;
}

type Column = ReturnType<typeof makeColumn>;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** One format a column: whole numbers stay whole, others get 3 decimals, or 3 digits where all are tiny. */
function numberFormat(values: number[]): (value: number) => string {
  if (values.every(Number.isInteger)) return (value) => value.toLocaleString('en-US');
  const largest = Math.max(...values.map(Math.abs));
  if (largest < 0.01) return (value) => (value === 0 ? '0' : value.toPrecision(3));
  return (value) => value.toLocaleString('en-US', { minimumFractionDigits: 3, maximumFractionDigits: 3 });
}

function makeColumn(name: string, rows: Row[], highlight: TableOptions['highlight']) {
  const values = rows.map((row) => row[name]);
  const numbers = values.filter(isNumber);
  const missing = (value: unknown): boolean => value === null || value === undefined || Number.isNaN(value);
  const numeric: boolean = numbers.length > 0 && values.every((value) => typeof value === 'number' || missing(value));
  const format = numberFormat(numbers);
  const direction = typeof highlight === 'object' ? highlight[name] : highlight;
  const best = numeric && direction && new Set(numbers).size > 1 ? Math[direction](...numbers) : undefined;
  return {
    name,
    numeric,
    cells: values.map((value) => (isNumber(value) ? format(value) : missing(value) ? '–' : String(value))),
    best: values.map((value) => best !== undefined && value === best),
  };
}

/** The table as HTML and as text, for whoever places it in a larger output. */
export function renderTable(rows: Row[], options: TableOptions = {}): Content {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => makeColumn(name, rows, options.highlight));
  // The align attribute repeats the style for viewers that strip styles (GitHub).
  const align = ({ numeric }: Column): string => {
    const [side, digits] = numeric ? ['right', 'font-variant-numeric:tabular-nums'] : ['left', 'white-space:pre-line'];
    return ` align="${side}" style="text-align:${side};${digits}"`;
  };
  const head = columns.map((column) => `<th${align(column)}>${escapeHtml(column.name)}</th>`).join('');
  const body = rows.map((_, row) => {
    const cells = columns.map((column) => {
      const cell = escapeHtml(column.cells[row]);
      return `<td${align(column)}>${column.best[row] ? `<b>${cell}</b>` : cell}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  const caption = options.caption ? `<caption>${escapeHtml(options.caption)}</caption>` : '';
  const html = `<table>${caption}<thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
  return { html, text: tableText(columns, options.caption) };
}

function tableText(columns: Column[], caption?: string): string {
  const padded = columns.map(({ name, numeric, cells, best }) => {
    const texts = cells.map((cell, row) => (best[row] ? `${cell}*` : numeric ? `${cell} ` : cell));
    const width = Math.max(name.length, ...texts.map((text) => text.length));
    const lines = [name, '-'.repeat(width), ...texts];
    return lines.map((line) => (numeric ? line.padStart(width) : line.padEnd(width)));
  });
  const lines = (padded[0] ?? []).map((_, line) => {
    const cells = padded.map((column) => column[line]);
    return cells.join('  ').trimEnd();
  });
  return [...(caption ? [caption] : []), ...lines].join('\n');
}

/**
 * Shows `rows` as a table: text escaped, numbers right-aligned with one format a column, the best ones bold on request
 * (marked `*` in a terminal).
 */
export function table(rows: Row[], options: TableOptions = {}): void {
  show(renderTable(rows, options));
}

/** Shows each chunk (cut after `limit` characters) beside its questions. */
export function questionsBesideChunk(items: { chunk: string; questions: string[] }[], limit = 600): void {
  const cell = 'style="text-align:left;vertical-align:top;width:50%;white-space:normal" align="left" valign="top"';
  const rows = items.map(({ chunk, questions }) => {
    const list = questions.map((question) => `<li>${escapeHtml(question)}</li>`).join('');
    return `<tr><td ${cell}>${escapeHtml(shorten(chunk, limit))}</td><td ${cell}><ol>${list}</ol></td></tr>`;
  });
  const head = `<thead><tr><th ${cell}>Chunk</th><th ${cell}>Questions</th></tr></thead>`;
  const html = `<table style="width:100%">${head}<tbody>${rows.join('')}</tbody></table>`;
  const texts = items.map(({ chunk, questions }) =>
    [shorten(chunk, limit), ...questions.map((question, i) => `  ${i + 1}. ${question}`)].join('\n'),
  );
  show({ html, text: texts.join('\n\n') });
}

/**
 * Shows the queries whose relevant chunk moved into the first `k` places (won) and those where it dropped out (lost),
 * with their texts; at most `limit` of each, those that moved furthest first.
 */
export function wonAndLost(rows: QueryChange[], k: number, limit = 5): void {
  const hit = (rank: number | null): boolean => rank !== null && rank <= k;
  const moved = (row: QueryChange): number => Math.abs((row.before ?? 1000) - (row.after ?? 1000));
  const part = (title: string, has: (was: boolean, is: boolean) => boolean): Content => {
    const chosen = rows.filter((row) => has(hit(row.before), hit(row.after)));
    const some = chosen.length > limit ? `, ${limit} of them` : '';
    const caption = `${title}: ${chosen.length} of ${rows.length} queries${some}`;
    const sorted = [...chosen].sort((a, b) => moved(b) - moved(a)).slice(0, limit);
    const cells = sorted.map((row) => ({
      query: row.query,
      'rank before': row.before ?? 'not found',
      'rank after': row.after ?? 'not found',
      'relevant chunk': shorten(row.expected, 200),
      'first place after': row.after === 1 ? 'the relevant chunk' : shorten(row.retrieved ?? '', 200),
    }));
    return cells.length > 0 ? renderTable(cells, { caption }) : { html: `<p>${caption}.</p>`, text: `${caption}.` };
  };
  const won = part(`Won (now in the first ${k})`, (was, is) => !was && is);
  const lost = part(`Lost (no longer in the first ${k})`, (was, is) => was && !is);
  show({ html: `${won.html}\n${lost.html}`, text: `${won.text}\n\n${lost.text}` });
}
