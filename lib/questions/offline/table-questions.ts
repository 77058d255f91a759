// A chunk's text goes in; out come questions over the row labels of its tables.

import { linesOf } from './chunk-sentences';
import { isFurniture, isTableRow } from './line-furniture';
import type { Draft } from './templates';
import { tokensOf, type Words } from './words';

// `Heron Double-ended car ferry Battery`: cells run together; `Deferred tax at`: a label cut at its date.
const NO_LABEL =
  /\p{Ll} \p{Lu}.*\p{Ll} \p{Lu}|\b(?:at|in|of|to|from|for|by|on|as|and|or|the|ended)$|^(?:[A-Z]{3}|US\$?) (?:million|thousand)/u;

/** One question over two or three row labels of the chunk's tables. */
export function tableQuestions(text: string, words: Words): Draft[] {
  const labels: string[] = [];
  for (const line of linesOf(text)) {
    const figures = line.match(/\d[\d,.]*/g) ?? [];
    const onlyYears = figures.every((figure) => /^(19|20)\d\d$/.test(figure));
    if (!isTableRow(line) || isFurniture(line) || onlyYears) continue;
    const label =
      /^\|?\s*(\p{L}[\p{L}' ,()/-]+?)(?:\s*[|:.]\s*|\s+)(?:[A-Z]{3} )?[$€£(]*\s*(?:\d|[—–-](?!\p{L}))/u
        .exec(line)?.[1]
        .replace(/\s*\([^)]*\)?$/, '') ?? '';
    const tokens = tokensOf(label);
    const sound =
      tokens.length >= 2 &&
      tokens.length <= 7 &&
      !/^(total|in |and |of |at |for |note|december|year|item|attributable|or |the )/i.test(label) &&
      !NO_LABEL.test(label);
    if (
      sound &&
      !/\b(january|february|march|april|june|july|august|september|october|november|december)\b/i.test(label)
    )
      if (!tokens.some((token) => words.isBroken(token)) && !labels.includes(asInText(label, words)))
        labels.push(asInText(label, words));
  }
  const drafts: Draft[] = [];
  for (let at = 0; at + 1 < labels.length; at += 3) {
    const [a, b, c] = labels.slice(at, at + 3);
    drafts.push({ kind: 'table', text: `What were the amounts of ${c ? `${a}, ${b} and ${c}` : `${a} and ${b}`}?` });
  }
  return drafts;
}

// A capital that only opens the row goes.
function asInText(label: string, words: Words): string {
  const [first, second = ''] = label.split(' ');
  const isName = !words.isCommon(first) || /^\p{Lu}/u.test(second) || !/^\p{Lu}\p{Ll}+$/u.test(first);
  return isName ? label : label.charAt(0).toLowerCase() + label.slice(1);
}
