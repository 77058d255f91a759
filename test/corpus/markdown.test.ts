import { markdownText } from 'finetune-embedding/dist/corpus/markdown.js';
import { expect, it } from 'vitest';

it.each([
  ['headings and emphasis', '# The *tide*\nSets **in** at _six_.\n\nNoon\n====', 'The tide\n\nSets in at six.\n\nNoon'],
  [
    'links and images',
    '![a chart](c.png) See [the [old] log](x.md), [port][1], <http://a.b>.\n\n[1]: http://c.d',
    'a chart See the [old] log, port, http://a.b.',
  ],
  [
    'lists within lists, and the numbers of a list',
    '- one\n  - two\n- [x] three\n\n3. four\n4. five',
    '• one\n• two\n• three\n\n3. four\n4. five',
  ],
  ['loose lists', '* one\n\n  more\n\n* two', '• one\n\nmore\n\n• two'],
  ['quotations', '> Mind\n> the *gap*.', 'Mind\nthe gap.'],
  [
    'code, as it is',
    'Call `a_b_c(*x)`:\n\n```sh\n# not a heading\nls *.pdf *.md\n```',
    'Call a_b_c(*x):\n\n# not a heading\nls *.pdf *.md',
  ],
  [
    'tables',
    '| Port | *Depth* |\n|:--|--:|\n| Ayr \\| Irvine | `7` |\n| Troon | |',
    'Port\tDepth\nAyr | Irvine\t7\nTroon',
  ],
  [
    'HTML in between',
    '<!-- draft -->\n<div align="center">Low <b>water</b></div>\n\nat<br>noon <!-- ? -->today',
    'Low water\n\nat\nnoon today',
  ],
  ['escapes and rules', '2 \\* 3\n\n---\n\nsnake_case_word', '2 * 3\n\nsnake_case_word'],
  ['front matter, with the line ends of Windows', '---\r\ntitle: x\r\n---\r\n# A\r\n\r\nb\r\n', 'A\n\nb'],
])('keeps the words of %s', (_, source, text) => {
  expect(markdownText(source)).toBe(text);
});
