// In: data/sources/<name>/*.md, joined in the order of their names. Out: data/<name>.pdf, set like an annual report,
// the same bytes on every run.
//
// Paragraphs, list items and table rows never break across pages: a chunk never spans two pages, so the evidence of a
// golden question is always whole in one.
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { lexer } from 'marked';
import pdfmake from 'pdfmake';

const DATA = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../data');
/** Fixed, for a PDF holds the time it was made. */
const CREATED = new Date('2025-03-06T00:00:00Z');
/** A table with more rows than this may break between two of them. */
const MAX_UNBROKEN_ROWS = 30;

// The standard fonts of every PDF reader: nothing to embed. They have the characters of Windows-1252 only.
pdfmake.setFonts({
  Times: { normal: 'Times-Roman', bold: 'Times-Bold', italics: 'Times-Italic', bolditalics: 'Times-BoldItalic' },
});
pdfmake.setUrlAccessPolicy(() => false);
pdfmake.setLocalAccessPolicy((file) => file.startsWith('Times-'));

/** Points, on A4. */
const MARGIN = 76;
const TEXT_WIDTH = 595 - 2 * MARGIN;

const UNKNOWN_CHARACTER = /[^\n\x20-\x7e\xa0-\xff–—‘’‚“”„†‡•…‰‹›€™ŒœŠšŽžŸƒˆ˜]/u;

const RULE = '#8a8f98';
const INK = '#1f3a4d';

const styles = {
  title: { fontSize: 19, bold: true, color: INK, margin: [0, 0, 0, 14] },
  h1: { fontSize: 18, bold: true, color: INK, margin: [0, 0, 0, 10] },
  h2: { fontSize: 13.5, bold: true, color: INK, margin: [0, 8, 0, 4] },
  h3: { fontSize: 12, bold: true, margin: [0, 5, 0, 3] },
  h4: { fontSize: 11, bold: true, italics: true, margin: [0, 3, 0, 2] },
  body: { margin: [0, 0, 0, 7] },
  table: { fontSize: 9, lineHeight: 1.2, margin: [0, 2, 0, 8] },
};

const tableLayout = {
  hLineWidth: (i, node) => (i === 0 || i === 1 || i === node.table.body.length ? 0.8 : 0.25),
  vLineWidth: () => 0,
  hLineColor: () => RULE,
  paddingTop: () => 2.5,
  paddingBottom: () => 2.5,
};

/** Marked's inline tokens → pdfmake's text runs. */
function runs(tokens, style = {}) {
  return tokens.flatMap((token) => {
    if (token.type === 'strong') return runs(token.tokens, { ...style, bold: true });
    if (token.type === 'em') return runs(token.tokens, { ...style, italics: true });
    if (token.type === 'link') return runs(token.tokens, style);
    if (token.type === 'br') return [{ text: '\n', ...style }];
    if (token.type === 'escape' || token.type === 'codespan') return [{ text: token.text, ...style }];
    if (token.type === 'text') return [{ text: token.raw.replace(/\s*\n\s*/g, ' '), ...style }];
    throw new Error(`inline Markdown of type '${token.type}' has no layout here: ${token.raw}`);
  });
}

const isNumeric = (text) => /\d|^[—–-]$/.test(text) && !/[A-Za-z]{4,}/.test(text);

/** Points: columns of figures as narrow as they can be, the rest shared by the lengths of the texts in it. */
function columnWidths(header, rows, isFigures) {
  const cells = (i) => rows.map((row) => row[i].text);
  const longest = (texts) => Math.max(...texts.map((text) => text.length));
  // 5 points a character of 9-point bold Times, on the wide side: a word must not break.
  const needed = header.map(({ text }, i) => {
    const width = 5 * longest([...cells(i), ...text.split(' ')]) + 4;
    return isFigures[i] ? width : Math.min(width, 230);
  });
  const sum = (widths) => widths.reduce((total, width) => total + width, 0);
  const room = TEXT_WIDTH - 8 * header.length;
  const figures = sum(needed.filter((_, i) => isFigures[i]));
  const texts = sum(needed.filter((_, i) => !isFigures[i]));
  return needed.map((width, i) => (isFigures[i] ? width : (width / texts) * (room - figures)));
}

function table({ header, rows }) {
  const right = header.map((_, i) => i > 0 && rows.filter((row) => isNumeric(row[i].text)).length > rows.length / 2);
  const cell = ({ tokens }, i, style = {}) => ({
    text: runs(tokens, style),
    alignment: right[i] ? 'right' : 'left',
  });
  const isTotal = (row) => /^total\b/i.test(row[0].text);
  return {
    style: 'table',
    layout: tableLayout,
    unbreakable: rows.length <= MAX_UNBROKEN_ROWS,
    table: {
      headerRows: 1,
      dontBreakRows: true,
      keepWithHeaderRows: 2,
      widths: columnWidths(header, rows, right),
      body: [
        header.map((item, i) => cell(item, i, { bold: true })),
        ...rows.map((row) => row.map((item, i) => cell(item, i, isTotal(row) ? { bold: true } : {}))),
      ],
    },
  };
}

function list({ items, ordered, start }) {
  const entries = items.map((item, i) => {
    const inline = item.tokens.filter((token) => token.type === 'text' || token.type === 'paragraph');
    if (inline.length !== 1) throw new Error(`a list item is one paragraph here: ${item.raw}`);
    // A marker of text, as word processors write it; pdfmake's own lists draw a circle, which no reader finds.
    const marker = ordered ? `${start + i}.` : '•';
    const columns = [{ width: 14, text: marker }, { text: runs(inline[0].tokens) }];
    return { stack: [{ columns }], unbreakable: true, margin: [0, 0, 0, 2] };
  });
  return { stack: entries, style: 'body' };
}

/** Marked's block tokens → pdfmake's content, a heading kept with the block it stands above. */
function blocks(tokens) {
  const content = [];
  let headings = [];
  let isTitle = true;
  const add = (block) => {
    content.push({ stack: [...headings, block], unbreakable: true, pageBreak: headings[0]?.pageBreak });
    for (const heading of headings) delete heading.pageBreak;
    headings = [];
  };
  for (const token of tokens) {
    if (token.type === 'space' || token.type === 'hr' || token.type === 'html') continue;
    if (token.type === 'heading') {
      const style = isTitle ? 'title' : `h${Math.min(token.depth, 4)}`;
      // Each part of the report starts on a page of its own.
      const pageBreak = token.depth === 1 && !isTitle ? 'before' : undefined;
      headings.push({ text: runs(token.tokens), style, pageBreak });
      isTitle = false;
    } else if (token.type === 'paragraph') add({ text: runs(token.tokens), style: 'body' });
    else if (token.type === 'table') add(table(token));
    else if (token.type === 'list') add(list(token));
    else throw new Error(`Markdown of type '${token.type}' has no layout here: ${token.raw.slice(0, 80)}`);
  }
  if (headings.length > 0) throw new Error('the last heading has nothing below it');
  return content;
}

async function build(name) {
  const folder = path.join(DATA, 'sources', name);
  const files = (await fs.readdir(folder)).filter((file) => file.endsWith('.md')).sort();
  const sources = await Promise.all(files.map((file) => fs.readFile(path.join(folder, file), 'utf8')));
  const unknown = sources.join('').match(UNKNOWN_CHARACTER);
  if (unknown) throw new Error(`${name}: the standard fonts have no '${unknown[0]}'; write it otherwise`);
  const tokens = lexer(sources.join('\n\n'));
  const title = tokens.find((token) => token.type === 'heading').text;
  const definition = {
    info: { title, creationDate: CREATED, modDate: CREATED, producer: 'pdfmake', creator: 'build-sample-pdfs' },
    pageSize: 'A4',
    pageMargins: [MARGIN, 78, MARGIN, 70],
    defaultStyle: { font: 'Times', fontSize: 11, lineHeight: 1.32 },
    styles,
    header: (page) => page > 1 && { text: title, fontSize: 8.5, color: RULE, margin: [MARGIN, 40, MARGIN, 0] },
    footer: (page) => ({ text: `${page}`, fontSize: 8.5, color: RULE, alignment: 'center', margin: [0, 24, 0, 0] }),
    content: blocks(tokens),
  };
  const bytes = await pdfmake.createPdf(definition).getBuffer();
  const target = path.join(DATA, `${name}.pdf`);
  await fs.writeFile(`${target}.tmp`, bytes);
  await fs.rename(`${target}.tmp`, target);
  const words = sources.join(' ').split(/\s+/).length;
  console.log(`${name}.pdf: ${Math.round(bytes.length / 1000)} KB, ${words} words`);
}

const entries = await fs.readdir(path.join(DATA, 'sources'), { withFileTypes: true });
for (const { name } of entries.filter((entry) => entry.isDirectory())) await build(name);
