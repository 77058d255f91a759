// In: short texts. Out: for each that says nearly the same as an earlier one, which one that is.

/**
 * Words that carry no meaning of their own. Fewer than a search's stop words: two questions may differ in `who`,
 * `when`, `not`, `before` or `over` alone.
 */
const FUNCTION_WORDS = new Set(
  (
    'a an the of in on at to for from by with and or as is are was were be been being do does did has have had what ' +
    'which that this these those it its their there'
  ).split(' '),
);

/** The words that carry a text's meaning, lower-cased, English plurals made singular, roughly. */
function meaningWords(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+(?:[.,]\p{N}+)*/gu) ?? [];
  const kept = words.filter((word) => !FUNCTION_WORDS.has(word));
  const singular = (word: string) => word.replace(/(?<=\p{L}{3})ies$/u, 'y').replace(/(?<=\p{L}{3})s$/u, '');
  return new Set((kept.length > 0 ? kept : words).map(singular));
}

/**
 * Finds near-duplicates: pairs of texts whose meaning words have a Jaccard similarity (shared / all) of `threshold` or
 * more and the same numbers. Exact, without comparing all pairs: two such sets share one of their rarest words
 * (prefix filtering; Chaudhuri et al. 2006, Bayardo et al. 2007, section 3).
 * @returns for each text the index of the earliest kept text it repeats, or -1 if it is kept itself.
 */
export function findRepeats(texts: string[], threshold: number): number[] {
  const sets = texts.map(meaningWords);
  const frequency = new Map<string, number>();
  for (const set of sets) for (const word of set) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const rarestFirst = (a: string, b: string) => frequency.get(a)! - frequency.get(b)! || (a < b ? -1 : 1);

  const keptByWord = new Map<string, number[]>();
  return sets.map((set, i) => {
    const words = [...set].sort(rarestFirst);
    const prefix = words.slice(0, words.length - Math.ceil(threshold * words.length) + 1);
    const candidates = new Set(prefix.flatMap((word) => keptByWord.get(word) ?? []));
    const repeated = [...candidates].sort((a, b) => a - b).find((j) => isRepeat(set, sets[j], threshold));
    if (repeated !== undefined) return repeated;
    for (const word of prefix) {
      const list = keptByWord.get(word);
      if (list) list.push(i);
      else keptByWord.set(word, [i]);
    }
    return -1;
  });
}

function isRepeat(a: Set<string>, b: Set<string>, threshold: number): boolean {
  const differing = [...a].filter((word) => !b.has(word)).concat([...b].filter((word) => !a.has(word)));
  const shared = (a.size + b.size - differing.length) / 2;
  // "in 2020" and "in 2021" are two questions.
  return shared >= threshold * (shared + differing.length) && !differing.some((word) => /\p{N}/u.test(word));
}
