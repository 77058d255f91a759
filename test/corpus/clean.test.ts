import { cleanPage, countWords, joinLines } from 'finetune-embedding/dist/corpus/clean.js';
import { describe, expect, it } from 'vitest';

const none = new Map<string, number>();
const LONG = 'The lamp on the outer mole is tended by the harbour office and shines from dusk';

describe('joinLines', () => {
  it('drops a hyphen only if the document writes the whole word elsewhere', () => {
    const words = countWords(['An estimate is a fore-\ncast. The forecast was late. A well-known pilot.']);
    expect(joinLines('this fore-', 'cast holds', words)).toBe('this forecast holds');
    expect(joinLines('a well-', 'known pilot', words)).toBe('a well-known pilot');
    expect(joinLines('a forward-', 'looking view', words)).toBe('a forward-looking view');
  });
  it('keeps suspended hyphens, drops soft ones, joins Chinese without a space', () => {
    expect(joinLines('short-', 'and long-term', none)).toBe('short- and long-term');
    expect(joinLines('har\u00ad', 'bour', none)).toBe('harbour');
    expect(joinLines('本公司的', '年度报告', none)).toBe('本公司的年度报告');
  });
});

describe('cleanPage', () => {
  it('joins full lines into paragraphs and keeps headings and bullets apart', () => {
    const raw = ['Lights', LONG, 'until dawn.', '• \tFirst point', '• \tSecond point'].join('\n');
    expect(cleanPage(raw, none)).toBe(`Lights\n\n${LONG} until dawn.\n\n• First point\n\n• Second point`);
  });
  it('keeps a heading apart that follows a full last line', () => {
    const full = `${LONG.slice(0, -1)}.`;
    expect(cleanPage([LONG, full, 'Harbour dues', LONG].join('\n'), none)).toContain('.\n\nHarbour dues\n\n');
  });
  it('keeps table rows, one a line, with currency and per-cent signs at their figures', () => {
    const raw = `${LONG}\nRevenue \t$ \t6,089 \t14 \t%\nLosses \t(12 \t)\t(3)\nTaxi 412.6 351.9 287.4`;
    expect(cleanPage(raw, none)).toBe(`${LONG}\n\nRevenue\t$6,089\t14%\nLosses\t(12)\t(3)\nTaxi 412.6 351.9 287.4`);
  });
  it('takes a tab or a date in running prose for what it is', () => {
    const raw = `${LONG} and elsewhere in \tthis report\nfor the year that ended on the last day of the month, December 31, 2021\nand before.`;
    expect(cleanPage(raw, none)).toBe(raw.replace(/\n/g, ' ').replace(/ \t/, ' '));
  });
});
