// In: an HTML document. Out: the text that its reader sees, without navigation, in the form that pages of a PDF have.
import { Tokenizer } from 'htmlparser2';
import { plainText } from './text-files';

/** What a page's reader does not see or does not read. */
const UNSEEN = new Set('script style title noscript template svg iframe form nav aside'.split(' '));
/** Likewise, but a header inside an article may hold its title. */
const PAGE_EDGES = new Set(['header', 'footer']);
const BLOCKS = new Set(
  (
    'address article blockquote dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 li main ol p pre section ' +
    'table ul'
  ).split(' '),
);
const CELLS = new Map(Object.entries({ tr: '\n', td: '\t', th: '\t' }));
/** These end where the next of their name begins. */
const ENDED_BY_NEXT = new Set('p li dd dt tr td th'.split(' '));
/** These hold nothing, and have no end. */
const EMPTY = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));

/**
 * The text a reader sees. Its scripts never run, and nothing is downloaded. From the tokens, without a tree: parsers
 * that build one take the square of the depth, and a file may open 100,000 tags.
 */
export function htmlText(source: string): string {
  const pieces: string[] = [];
  /** The open elements that matter; tags such as `<b>` do so only inside what is not seen. */
  const open: string[] = [];
  const count = new Map<string, number>();
  /** How many elements are open outside the one that is not seen. */
  let seen = Number.POSITIVE_INFINITY;
  let name = '';
  let isHidden = false;
  const write = (text: string) => {
    if (open.length <= seen) pieces.push(text);
  };
  const opened = () => {
    if (EMPTY.has(name)) return write(name === 'br' ? '\n' : name === 'hr' ? '\n\n' : '');
    if (ENDED_BY_NEXT.has(name) && open.at(-1) === name) closed(name);
    const isUnseen = isHidden || UNSEEN.has(name) || (PAGE_EDGES.has(name) && open.length === 0);
    const isBlock = BLOCKS.has(name);
    write(CELLS.get(name) ?? (name === 'li' ? '\n\n• ' : isBlock ? '\n\n' : ''));
    if (!isUnseen && !isBlock && !CELLS.has(name) && open.length <= seen) return;
    if (isUnseen) seen = Math.min(seen, open.length);
    open.push(name);
    count.set(name, (count.get(name) ?? 0) + 1);
  };
  const closed = (ended: string) => {
    while (count.get(ended)) {
      const last = open.pop()!;
      count.set(last, count.get(last)! - 1);
      if (open.length <= seen) seen = Number.POSITIVE_INFINITY;
      if (BLOCKS.has(last)) write('\n\n');
      if (last === ended) return;
    }
  };
  const ignore = () => {};
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname(start, end) {
        name = source.slice(start, end).toLowerCase();
        isHidden = false;
      },
      onattribname(start, end) {
        isHidden ||= source.slice(start, end).toLowerCase() === 'hidden';
      },
      onopentagend: opened,
      onselfclosingtag: opened,
      onclosetag: (start, end) => closed(source.slice(start, end).toLowerCase()),
      ontext: (start, end) => write(source.slice(start, end).replace(/\s+/g, ' ')),
      ontextentity: (code) => write(String.fromCodePoint(code).replace(/\s/, ' ')),
      onattribdata: ignore,
      onattribentity: ignore,
      onattribend: ignore,
      oncdata: ignore,
      oncomment: ignore,
      ondeclaration: ignore,
      onprocessinginstruction: ignore,
      onend: ignore,
    },
  );
  tokenizer.write(source);
  tokenizer.end();
  const lines = pieces.join('').split('\n');
  return plainText(
    lines
      .map((line) =>
        line
          .trim()
          .replace(/ {2,}/g, ' ')
          .replace(/ ?\t ?/g, '\t'),
      )
      .join('\n'),
  );
}
