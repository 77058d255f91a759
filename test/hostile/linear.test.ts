// Text that costs careless parsers and regular expressions the square of its length: twice the text, twice the time.
import { Bm25 } from 'finetune-embedding/dist/common/text/bm25.js';
import { isInAnotherLanguage, languageOf } from 'finetune-embedding/dist/common/text/language.js';
import { withoutFurniture } from 'finetune-embedding/dist/common/text/page-furniture.js';
import { terms } from 'finetune-embedding/dist/common/text/terms.js';
import { cutPages } from 'finetune-embedding/dist/corpus/chunk.js';
import { cleanPage, countWords } from 'finetune-embedding/dist/corpus/clean.js';
import { htmlText } from 'finetune-embedding/dist/corpus/html.js';
import { markdownText } from 'finetune-embedding/dist/corpus/markdown.js';
import { decodeText, plainText } from 'finetune-embedding/dist/corpus/text-files.js';
import { buildDataset, buildGoldenDataset } from 'finetune-embedding/dist/dataset/index.js';
import { sentencesOf } from 'finetune-embedding/dist/questions/offline/chunk-sentences.js';
import { Words } from 'finetune-embedding/dist/questions/offline/words.js';
import { parseAnswer } from 'finetune-embedding/dist/questions/parse-answer.js';
import { describe, expect, it } from 'vitest';

/** Each with a length of about `n`. */
const TEXTS: Record<string, (n: number) => string> = {
  'spaces between two letters': (n) => `a${' '.repeat(n)}b`,
  'one line of words': (n) => 'word '.repeat(n / 5),
  'one word': (n) => 'a'.repeat(n),
  'a word and its hyphen': (n) => `${'a'.repeat(n)}-\nb`,
  'tabs and spaces': (n) => `${'\t '.repeat(n / 2)}b`,
  'empty lines': (n) => `a${'\n \n'.repeat(n / 3)}b`,
  'figures before a word': (n) => `${'1 '.repeat(n / 2)}b`,
  'digits and points': (n) => `${'1,.'.repeat(n / 3)}b`,
  abbreviations: (n) => 'U.S. Mr. '.repeat(n / 9),
  'short lines': (n) => 'and so on\n'.repeat(n / 10),
  'long lines that go on': (n) =>
    `${'the lamp on the outer mole is tended by the office '.repeat(2)}\n`.repeat(n / 103),
  brackets: (n) => '['.repeat(n),
  'closing brackets': (n) => `Mr.${')'.repeat(n)}`,
  'comments that open': (n) => '<!--'.repeat(n / 4),
  'links that open': (n) => '[a]('.repeat(n / 4),
  'emphasis that opens': (n) => '*a **b _c '.repeat(n / 10),
  underscores: (n) => 'a_b'.repeat(n / 3),
  quotations: (n) => '>'.repeat(n),
  'lists in lists': (n) => '- '.repeat(n / 2),
  backticks: (n) => Array.from({ length: Math.sqrt(2 * n) }, (_, i) => `e${'`'.repeat(i)}`).join(''),
  'a wide table': (n) => ['|a', '|-', '|b'].map((cell) => cell.repeat(n / 6)).join('\n'),
  'nested <div>': (n) => '<div>'.repeat(n / 5),
  '<b> without end': (n) => '<b>'.repeat(n / 3),
  'nested tables': (n) => '<table><tr><td>'.repeat(n / 15),
  'paragraphs in <div>': (n) => '<div><p>'.repeat(n / 8),
  'ends of what never began': (n) => '<div>'.repeat(n / 10) + '</p></b>'.repeat(n / 16),
  'page headers': (n) => '<header></header>'.repeat(n / 17),
  'hidden elements': (n) => '<p hidden>a<nav><p>b'.repeat(n / 20),
  attributes: (n) => `<a ${Array.from({ length: n / 8 }, (_, i) => `b${i}`).join(' ')}>`,
  'scripts that open': (n) => '<script></scrip'.repeat(n / 15),
  entities: (n) => '&amp;&#1'.repeat(n / 8),
  'angle brackets': (n) => '<'.repeat(n),
  'quotation marks before a word': (n) => `${'"'.repeat(n)}b`,
  'question marks': (n) => `${'? "'.repeat(n / 3)}b`,
  'bullets among spaces': (n) => `${' •  '.repeat(n / 4)}b`,
  'half of a phrase of furniture': (n) => 'incorporated by reference certify '.repeat(n / 34),
  'combining marks': (n) => `a${'\u0301\u0323'.repeat(n / 2)}`,
  'ys and vowels': (n) => `${'yay'.repeat(n / 3)} ${'b'.repeat(n / 3)}ed`,
};

const READERS: Record<string, (text: string) => unknown> = {
  'plain text': (text) => plainText(decodeText(Buffer.from(text))),
  Markdown: markdownText,
  HTML: htmlText,
  'a page of a PDF': (text) => cleanPage(text, countWords([text])),
  'page furniture': (text) => withoutFurniture([text, text, text]),
  chunks: (text) => cutPages([{ file: 'a.txt', page: 1, text }], { chunkSize: 256, chunkOverlap: 20 }),
  'terms and BM25': (text) => new Bm25([terms(text), ['a']]).scores(terms(text).slice(0, 100)),
  language: (text) => [languageOf(text), isInAnotherLanguage(text, text)],
  'a model’s answer': (text) => ['', 'Q', '1. "'].map((start) => parseAnswer(start + text, 2)),
  'sentences to ask about': (text) => sentencesOf(text, new Words([text])),
  'golden questions': (text) => {
    const chunks = [{ id: 'a', text }];
    buildDataset(chunks, new Map([['a', [text]]]));
    return buildGoldenDataset(chunks, [{ question: text, evidence: text.slice(0, 1000), type: 'x', section: 'x' }]);
  },
};

/** What a text costs, in ms of the processor: others use the machine too. */
function cost(read: (text: string) => unknown, text: string): number {
  const start = process.cpuUsage();
  read(text);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Time from which on a doubling tells something, in ms. */
const MEASURABLE = 20;

describe.each(Object.entries(READERS))('%s', (_, read) => {
  it.each(Object.entries(TEXTS))('takes linear time for %s', (_, make) => {
    // What costs the square is slow at the second length; what stays below is quick enough.
    const length = [10_000, 40_000].find((one) => cost(read, make(one)) > MEASURABLE);
    if (length === undefined) return;
    const [once, twice] = [make(length), make(2 * length)];
    // The machine's other work can triple a time, too, but not each time.
    const isLinear = [1, 2, 3].some(() => cost(read, twice) < 3 * cost(read, once));
    expect(isLinear, `from ${length} to ${2 * length} characters`).toBe(true);
  });
});
