// In: a text. Out: the same in lower case, in Unicode's compatible form: what two texts are compared in.

/**
 * NFKC. Of a run of combining marks 30 count, as in Unicode's Stream-Safe Text Format (Unicode Standard Annex 15,
 * section 13): normalising takes the square of a run's length.
 */
export const nfkc = (text: string): string => text.replace(/(\p{M}{30})\p{M}+/gu, '$1').normalize('NFKC');

/** NFKC in lower case. */
export const normalise = (text: string): string => nfkc(text).toLowerCase();
