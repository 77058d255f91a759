// In: the source of a Markdown document. Out: its words, without marks, link targets and comments, in the form that
// pages of a PDF have.
import MarkdownIt from 'markdown-it';
import { htmlText } from './html';

/** Front matter: settings of the program that publishes the document. */
const FRONT_MATTER = /^---\n[\s\S]*?\n---\n/;
const CHECKBOX = /^((?:•|\d+\.) )\[[ xX]\]\s/gm;

// Takes time linear in the source's length, whatever is in it; marked (18.2) takes the square.
const parser = new MarkdownIt({ html: true, breaks: true });
const { escapeHtml } = parser.utils;
const { rules } = parser.renderer;
// Read by itself: what it leaves open, or a name in angle brackets, must not hide the rest.
rules.html_block = (tokens, at) => `<pre>${escapeHtml(htmlText(tokens[at].content))}</pre>`;
rules.html_inline = (tokens, at) => (/^<br\b/i.test(tokens[at].content) ? '<br>' : '');
rules.image = (tokens, at, options, env, self) =>
  escapeHtml(self.renderInlineAsText(tokens[at].children ?? [], options, env));

/** Paragraphs, list items and table rows as in {@link Page}; code stays as it is. */
export function markdownText(source: string): string {
  const html = parser.render(source.replace(/\r\n?/g, '\n').replace(FRONT_MATTER, ''));
  return htmlText(html).replace(CHECKBOX, '$1');
}
