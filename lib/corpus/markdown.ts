// In: the source of a Markdown document. Out: its words, without marks, link targets and comments, in the form that
// pages of a PDF have.
import MarkdownIt, { type Token } from 'markdown-it';
import { htmlText } from './html';
import { plainText } from './text-files';

/** Front matter: settings of the program that publishes the document. */
const FRONT_MATTER = /^---\n[\s\S]*?\n---\n/;
const CHECKBOX = /^\[[ xX]\]\s/;

// Takes time linear in the source's length, whatever is in it; marked (18.2) takes the square.
const parser = new MarkdownIt({ html: true });

/** Paragraphs, list items and table rows as in {@link Page}; code stays as it is. */
export function markdownText(source: string): string {
  const pieces: string[] = [];
  /** Of the lists that are open: the next item's number, or undefined where it has a bullet. */
  const lists: (number | undefined)[] = [];
  let cells: string[] = [];
  let mark = '';
  let gap = '';
  const write = (text: string, gapBehind: string) => {
    if (text) pieces.push(gap, mark, text);
    if (text) [gap, mark] = [gapBehind, ''];
  };
  const tokens = parser.parse(source.replace(/\r\n?/g, '\n').replace(FRONT_MATTER, ''), {});
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1];
    switch (token.type) {
      case 'bullet_list_open':
      case 'ordered_list_open':
        lists.push(token.type === 'ordered_list_open' ? Number(token.attrGet('start') ?? 1) : undefined);
        break;
      case 'list_item_open': {
        const number = lists.at(-1);
        mark += number === undefined ? '• ' : `${number}. `;
        if (number !== undefined) lists[lists.length - 1] = number + 1;
        break;
      }
      case 'list_item_close':
        mark = '';
        break;
      case 'bullet_list_close':
      case 'ordered_list_close':
        lists.pop();
        if (lists.length === 0) gap = '\n\n';
        break;
      case 'tr_open':
        cells = [];
        break;
      case 'tr_close':
        write(cells.join('\t'), '\n');
        break;
      case 'table_close':
        gap = '\n\n';
        break;
      case 'inline': {
        const text = inlineText(token.children ?? []);
        if (before.type === 'th_open' || before.type === 'td_open') cells.push(text.trim());
        // Paragraphs of a tight list are hidden.
        else write(mark ? text.replace(CHECKBOX, '') : text, before.hidden ? '\n' : '\n\n');
        break;
      }
      case 'code_block':
      case 'fence':
        write(token.content.replace(/\n$/, ''), '\n\n');
        break;
      case 'html_block':
        write(htmlText(token.content), '\n\n');
        break;
    }
  }
  return plainText(pieces.join(''));
}

function inlineText(tokens: Token[]): string {
  const textOf = (token: Token): string => {
    if (token.type === 'softbreak' || token.type === 'hardbreak') return '\n';
    if (token.type === 'html_inline') return /^<br\b/i.test(token.content) ? '\n' : '';
    return token.children ? inlineText(token.children) : token.content;
  };
  return tokens.map(textOf).join('');
}
