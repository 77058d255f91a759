import { htmlText } from 'finetune-embedding/dist/corpus/html.js';
import { expect, it } from 'vitest';

it.each([
  [
    'a list, each mark at its text',
    '<ul><li>one<ul><li>two</ul><li><p>three</p></ul>four',
    '• one\n• two\n\n• three\n\nfour',
  ],
  ['a numbered list', '<ol start=3><li>one</li><li>two</li></ol><ol><li>three</ol>', '3. one\n4. two\n\n1. three'],
  ['code, as it is', '<p>Run:<pre>if x:\n    go  on\n</pre>  then', 'Run:\n\nif x:\n    go  on\n\nthen'],
  [
    'a table with an empty cell',
    'Ports<table><tr><td></td><th>A <td>B</tr><tr><td>C<td>D</table>',
    'Ports\n\n\tA\tB\nC\tD',
  ],
  [
    'what is seen, beside what is not',
    '<nav><ul><li>no</ul></nav><p hidden>no<p>yes &amp;&nbsp; no<b>w</b>',
    'yes & now',
  ],
])('keeps the words of %s', (_, source, text) => {
  expect(htmlText(source)).toBe(text);
});
