// Model name → its colour, the same in every figure of every notebook.
// Okabe & Ito, "Color Universal Design" (2008): told apart with every kind of colour blindness. Black and yellow are
// left out: one vanishes in the dark theme, the other in the light one.

export const BLUE = '#0072B2';
export const VERMILLION = '#D55E00';
export const GREEN = '#009E73';
export const PURPLE = '#CC79A7';
export const ORANGE = '#E69F00';
export const SKY_BLUE = '#56B4E9';
/** Readable on white (4.5:1) and on JupyterLab's dark background (4.2:1) alike. */
export const GREY = '#777777';

const FAMILIES: [RegExp, string][] = [
  [/fine-?tuned, windows/i, ORANGE],
  [/base, windows/i, SKY_BLUE],
  [/fine-?tuned/i, VERMILLION],
  [/bm25/i, GREEN],
  [/openai|^text-embedding-/i, PURPLE],
  [/^base\b|untrained/i, BLUE],
];

/** The colour of a model: base blue, fine-tuned vermillion (searched by windows: their lighter kin), OpenAI purple, BM25 green; others keep one by their name. */
export function modelColor(name: string): string {
  const family = FAMILIES.find(([pattern]) => pattern.test(name));
  if (family) return family[1];
  let sum = 0;
  for (const character of name) sum += character.codePointAt(0) as number;
  return [ORANGE, SKY_BLUE][sum % 2];
}
