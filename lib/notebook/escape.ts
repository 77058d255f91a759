// In: text from documents, models or users. Out: text that is safe in HTML, and in Plotly's labels, which read tags.

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes `text` for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Undoes `escapeHtml`. */
export function unescapeHtml(html: string): string {
  return Object.entries(ENTITIES).reduceRight((text, [character, entity]) => text.replaceAll(entity, character), html);
}

/** `text` on one line, cut at a word end after at most `limit` characters, with an ellipsis where something was cut. */
export function shorten(text: string, limit: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= limit) return line;
  const cut = line.slice(0, limit).replace(/[\uD800-\uDBFF]$/, ''); // never half a character
  const wordEnd = cut.lastIndexOf(' ');
  return `${(wordEnd > limit * 0.6 ? cut.slice(0, wordEnd) : cut).trimEnd()}…`;
}

/** `text` as a Plotly hover label: shortened to `limit` characters, escaped, broken into lines of at most 60. */
export function hoverText(text: string, limit = 120): string {
  const lines = shorten(text, limit).match(/.{1,60}(?= |$)|[^ ]{1,60}/gu) ?? [];
  return lines.map((line) => escapeHtml(line.trim())).join('<br>');
}
