// In: the pages of one document, as lines. Out: the pages without their furniture (running headers, footers, page
// numbers), because a retriever that sees it finds the same words on every page.

/** Lines looked at from either end of a page. Some PDFs draw header and footer last, so both ends hold both. */
const EDGE = 3;

const ROMAN = /^[-–—]?\s*[ivxl]{1,7}\s*[-–—]?$/;

const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '');

/**
 * What a line has in common with its counterparts on other pages: each number as it is (`Report 2024`) or as its
 * distance from the page (`Page 3 of 90`), in all combinations.
 */
function keysOf(line: string, page: number): string[] {
  const parts = line.toLowerCase().replace(/\s+/g, ' ').trim().split(/(\d+)/);
  const numbers = (parts.length - 1) / 2;
  if (numbers > 3) return [parts.join('')];
  const keys = Array.from({ length: 2 ** numbers }, (_, combination) =>
    parts
      .map((part, i) => (i % 2 === 1 && (combination >> (i >> 1)) & 1 ? `<page${Number(part) - page}>` : part))
      .join(''),
  );
  // A figure that stays the same, with no word beside it, is a table's.
  return /\p{L}/u.test(line) ? keys : keys.slice(1);
}

function edgeLines(text: string): string[] {
  const lines = linesOf(text);
  return lines.length <= 2 * EDGE ? lines : [...lines.slice(0, EDGE), ...lines.slice(-EDGE)];
}

/**
 * Leaves out what repeats at the top and bottom of a document's pages: running headers and footers (also those of one
 * chapter), and page numbers (also `F-12` and roman ones). The same words in the middle of a page stay.
 *
 * A line is furniture if it stands at an edge of 3 pages or more, and of 40% of the pages between its first and its
 * last appearance (left and right pages often take turns), with numbers that stay the same or keep step with the page.
 * @param pages The pages of ONE file, in order.
 */
export function withoutFurniture(pages: string[]): string[] {
  /** For each key the positions of the pages that have it, ascending. */
  const seen = new Map<string, number[]>();
  const keys = (line: string, position: number) =>
    ROMAN.test(line.trim()) ? ['<roman numeral>'] : keysOf(line, position + 1);
  pages.forEach((text, position) => {
    for (const key of new Set(edgeLines(text).flatMap((line) => keys(line, position)))) {
      const positions = seen.get(key);
      if (positions) positions.push(position);
      else seen.set(key, [position]);
    }
  });
  const repeats = (key: string) => {
    const positions = seen.get(key)!;
    return positions.length >= 3 && positions.length >= 0.4 * (positions[positions.length - 1] - positions[0] + 1);
  };
  return pages.map((text, position) => {
    const furniture = new Set(edgeLines(text).filter((line) => keys(line, position).some(repeats)));
    if (furniture.size === 0) return text;
    const lines = linesOf(text);
    return lines.filter((line, i) => !(furniture.has(line) && (i < EDGE || i >= lines.length - EDGE))).join('\n');
  });
}
