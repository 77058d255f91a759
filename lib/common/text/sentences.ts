// In: a page's text. Out: its sentences and table rows, each with the white space after it, so that joined they give
// the text again.

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

const ABBREVIATION =
  /(?:^|[\s("“‘[])(?:(?:\p{Lu}\.)+|(?:Nos?|Mr|Mrs|Ms|Dr|Prof|St|Inc|Corp|Ltd|Co|Cos|vs|v|etc|cf|Figs?|Secs?|Arts?|Vols?|pp?|approx|dept|est|Sr|Jr|Rev|Gen|Hon|Messrs|al|ca|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|(?:\p{Ll}\.)+\p{Ll})\.)["”’)\]]*\s*$/u;

/**
 * Splits text at the ends of sentences and lines (Unicode Standard Annex 29, by `Intl.Segmenter`), but not after an
 * abbreviation: `U.S. Government`, `No. 7`, `J. Smith`. Where an abbreviation does end a sentence, the two stay
 * together, which costs less than a sentence cut in two.
 */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  let pending = '';
  for (const { segment } of segmenter.segment(text)) {
    pending += segment;
    if (/\n\s*$/.test(pending) || !ABBREVIATION.test(pending)) {
      sentences.push(pending);
      pending = '';
    }
  }
  if (pending) sentences.push(pending);
  return sentences;
}

/** The words of a sentence, each with the white space before it, as GPT tokens have it. */
export function splitWords(sentence: string): string[] {
  return sentence.match(/\s*\S+(?:\s+$)?/g) ?? [];
}
