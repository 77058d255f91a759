// In: a page's text. Out: its sentences and table rows, each with the white space after it, so that joined they give
// the text again.

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** No abbreviation with what stands around it is longer. */
const LONGEST = 64;
const ABBREVIATION =
  /[\s("“‘[](?:(?:\p{Lu}\.)+|(?:Nos?|Mr|Mrs|Ms|Dr|Prof|St|Inc|Corp|Ltd|Co|Cos|vs|v|etc|cf|Figs?|Secs?|Arts?|Vols?|pp?|approx|dept|est|Sr|Jr|Rev|Gen|Hon|Messrs|al|ca|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|(?:\p{Ll}\.)+\p{Ll})\.)["”’)\]]*$/u;

/**
 * Splits text at the ends of sentences and lines (Unicode Standard Annex 29, by `Intl.Segmenter`), but not after an
 * abbreviation: `U.S. Government`, `No. 7`, `J. Smith`. Where an abbreviation does end a sentence, the two stay
 * together, which costs less than a sentence cut in two.
 */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    const body = segment.trimEnd();
    // Only the last word is looked at: a sentence of 10,000 abbreviations grows with each.
    const from = index + body.length - LONGEST;
    const last = text.slice(Math.max(start, from), index + body.length);
    const endsLine = segment.includes('\n', body.length);
    if (!endsLine && ABBREVIATION.test(from > start ? last : ` ${last}`)) continue;
    sentences.push(text.slice(start, index + segment.length));
    start = index + segment.length;
  }
  if (start < text.length) sentences.push(text.slice(start));
  return sentences;
}

/** The words of a sentence, each with the white space before it, as GPT tokens have it; the last with what follows. */
export function splitWords(sentence: string): string[] {
  const body = sentence.trimEnd();
  if (body === '') return [];
  const words = body.split(/(?<=\S)(?=\s)/);
  words[words.length - 1] += sentence.slice(body.length);
  return words;
}
