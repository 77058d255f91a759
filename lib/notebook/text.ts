// In: texts a reader should look at (chunks, questions, prompts, ranked queries). Out: shortened, escaped outputs.
import type { QueryChange } from '../evaluate/evaluation';
import { escapeHtml, shorten } from './escape';
import { type Content, show } from './output';
import { renderTable } from './table';

/** Shows one remark to the reader, such as why a step was skipped. */
export function note(text: string): void {
  show({ html: `<p><em>${escapeHtml(text)}</em></p>`, text });
}

/** Shows a text as it is, line breaks kept: a prompt, a file's first lines. */
export function preformatted(text: string, title: string): void {
  const html = `<b>${escapeHtml(title)}</b><pre style="white-space:pre-wrap">${escapeHtml(text)}</pre>`;
  show({ html, text: `${title}\n${text}` });
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
