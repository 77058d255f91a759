// In: the source of a Markdown document. Out: its words, without marks, link targets and comments, in the form that
// pages of a PDF have.
import { lexer, type Token, type Tokens } from 'marked';
import { plainText } from './text-files';

/** Front matter: settings of the program that publishes the document. */
const FRONT_MATTER = /^---\n[\s\S]*?\n---\n/;
const TAG_OR_COMMENT = /<!--[\s\S]*?-->|<[^>]+>/g;

/** Paragraphs, list items and table rows as in {@link Page}; code and the words inside HTML tags stay as they are. */
export function markdownText(source: string): string {
  return plainText(blocks(lexer(source.replace(/\r\n?/g, '\n').replace(FRONT_MATTER, ''))));
}

function blocks(tokens: Token[], gap = '\n\n'): string {
  return tokens.map(textOf).filter(Boolean).join(gap);
}

const inline = (tokens: Token[]): string => tokens.map(textOf).join('');

function textOf(token: Token): string {
  switch (token.type) {
    case 'space':
    case 'hr':
    case 'def':
    case 'checkbox':
      return '';
    case 'br':
      return '\n';
    case 'html':
      return token.text.replace(/<br\s*\/?>/gi, '\n').replace(TAG_OR_COMMENT, '');
    case 'blockquote':
      return blocks(token.tokens ?? []);
    case 'list': {
      const { items, ordered, start, loose } = token as Tokens.List;
      const gap = loose ? '\n\n' : '\n';
      return items.map(({ tokens }, i) => `${ordered ? `${+start + i}.` : '•'} ${blocks(tokens, gap)}`).join(gap);
    }
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      return [header, ...rows].map((row) => row.map((cell) => inline(cell.tokens).trim()).join('\t')).join('\n');
    }
    default:
      return 'tokens' in token && token.tokens ? inline(token.tokens) : (token as Tokens.Text).text;
  }
}
