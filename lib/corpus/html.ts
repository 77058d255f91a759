// In: an HTML document. Out: the text that its reader sees, without navigation, in the form that pages of a PDF have.
import { Tokenizer } from 'htmlparser2';
import { plainText } from './text-files';

/** What a page's reader does not see or does not read. */
const UNSEEN = new Set('script style title noscript template svg iframe form nav aside'.split(' '));
/** Likewise, but a header inside an article may hold its title. */
const PAGE_EDGES = new Set(['header', 'footer']);
const BLOCKS = new Set(
  (
    'address article blockquote dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 main ol p pre section ' +
    'table ul'
  ).split(' '),
);
const LISTS = new Set(['ul', 'ol']);
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
  /** The next item's number in each open list, the last one innermost; NaN where items have a bullet. */
  const lists = [Number.NaN];
  // What stands before the next text: ends of lines, and the mark of a list's item; before the next cell: a tab.
  let [gap, mark, tab] = ['', '', ''];
  let [name, attribute, start, isHidden] = ['', '', 1, false];
  const separate = (by: string, itsMark = '') => {
    if (open.length > seen) return;
    if (by.length > gap.length) gap = by;
    mark += itsMark;
  };
  const separateBlock = (block: string) => separate(LISTS.has(block) && lists.length > 1 ? '\n' : '\n\n');
  const write = (text: string) => {
    if (open.length > seen || text === '') return;
    pieces.push(gap, mark, text);
    [gap, mark] = ['', ''];
  };
  const writeText = (text: string) => {
    if (count.get('pre')) return write(text);
    const line = text.replace(/\s+/g, ' ');
    const isFirst = gap !== '' || /\s/.test(pieces.at(-1)?.at(-1) ?? ' ');
    write(isFirst ? line.trimStart() : line);
  };
  const opened = () => {
    if (name === 'br') write('\n');
    if (name === 'hr') separate('\n\n');
    if (EMPTY.has(name)) return;
    if (ENDED_BY_NEXT.has(name) && open.at(-1) === name) closed(name);
    const isUnseen = isHidden || UNSEEN.has(name) || (PAGE_EDGES.has(name) && open.length === 0);
    const isBlock = BLOCKS.has(name);
    if (isBlock) separateBlock(name);
    if (name === 'li') {
      const number = lists[lists.length - 1]++;
      separate('\n', Number.isNaN(number) ? '• ' : `${number}. `);
    }
    if (name === 'td' || name === 'th') write(tab);
    if (name === 'tr') separate('\n');
    tab = name === 'tr' ? '' : '\t';
    if (!isUnseen && !isBlock && open.length <= seen) return;
    if (isUnseen) seen = Math.min(seen, open.length);
    if (LISTS.has(name)) lists.push(name === 'ol' ? start : Number.NaN);
    open.push(name);
    count.set(name, (count.get(name) ?? 0) + 1);
  };
  const closed = (ended: string) => {
    if (ended === 'li') mark = '';
    while (count.get(ended)) {
      const last = open.pop()!;
      count.set(last, count.get(last)! - 1);
      if (open.length <= seen) seen = Number.POSITIVE_INFINITY;
      if (LISTS.has(last)) lists.pop();
      if (BLOCKS.has(last)) separateBlock(last);
      if (last === ended) return;
    }
  };
  const ignore = () => {};
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname(from, to) {
        name = source.slice(from, to).toLowerCase();
        [start, isHidden] = [1, false];
      },
      onattribname(from, to) {
        attribute = source.slice(from, to).toLowerCase();
        isHidden ||= attribute === 'hidden';
      },
      onattribdata(from, to) {
        if (attribute === 'start') start = Number.parseInt(source.slice(from, to), 10);
      },
      onopentagend: opened,
      onselfclosingtag: opened,
      onclosetag: (from, to) => closed(source.slice(from, to).toLowerCase()),
      ontext: (from, to) => writeText(source.slice(from, to)),
      ontextentity: (code) => writeText(String.fromCodePoint(code)),
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
  return plainText(pieces.join('').replace(/ ?\t ?/g, '\t'));
}
