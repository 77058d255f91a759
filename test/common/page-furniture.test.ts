import { withoutFurniture } from 'finetune-embedding/dist/common/text/page-furniture.js';
import { describe, expect, it } from 'vitest';

const body = (page: number) =>
  [1, 2, 3, 4, 5].map((line) => `${'abcdefghij'[page]}${'klmnopqrst'[line]} own words of this page`).join('\n');

describe('withoutFurniture', () => {
  it('finds running headers, footers and page numbers, also when they start late', () => {
    const texts = [0, 1, 2, 3, 4].map((i) =>
      i === 0 ? body(0) : `Annual Report 2024\n${body(i)}\nLarkspur plc | Page ${i + 1}\n${i + 11}`,
    );
    expect(withoutFurniture(texts)).toEqual([0, 1, 2, 3, 4].map(body));
  });
  it('finds headers of left and right pages, and numbers of an appendix', () => {
    const texts = [0, 1, 2, 3, 4, 5].map((i) => `${i % 2 ? 'Risk factors' : 'Larkspur plc'}\n${body(i)}\nF-${i + 7}`);
    expect(withoutFurniture(texts)).toEqual([0, 1, 2, 3, 4, 5].map(body));
  });
  it('leaves figures that do not keep step with the pages, and the same words in the middle of a page', () => {
    const texts = [0, 1, 2, 3, 4].map(
      (i) => `Larkspur plc\n${body(i)}\nLarkspur plc\n${body(i)}\n${[7, 90, 3, 55, 1][i]}`,
    );
    const kept = withoutFurniture(texts);
    for (const [i, text] of kept.entries()) {
      expect(text.startsWith(body(i))).toBe(true);
      expect(text).toContain('\nLarkspur plc\n');
      expect(text.split('\n').at(-1)).toBe(String([7, 90, 3, 55, 1][i]));
    }
  });
  it('takes nothing from two pages that share a line', () => {
    const texts = [`Totals\n${body(0)}`, `Totals\n${body(1)}`];
    expect(withoutFurniture(texts)).toEqual(texts);
  });
});
