// A chunk's sentences go in; out come its key phrases (`capped call transactions`), the most telling first, and
// the questions that a phrase, a heading or a table's row labels call for where no clause could be turned round.
import { type Token, tag } from './clauses';
import { isFurniture, isTableRow } from './furniture';
import type { Salience } from './salience';
import { linesOf, type Sentence } from './sentences';
import type { Draft } from './templates';
import { tokensOf, type Words } from './words';

const MODIFIER = ['Noun', 'Adjective'];
const NEVER = [
  'Pronoun',
  'Date',
  'Value',
  'Money',
  'Percent',
  'Determiner',
  'Possessive',
  'Comparative',
  'Verb',
  'Adverb',
  'Conjunction',
  'Preposition',
];

// A phrase is left out when it says less than this share of what the sentence's best phrase says.
const TELLING = 0.4;

/** Noun phrases of two to four words, in order of appearance. */
export function nounPhrases(sentence: string): string[] {
  const phrases: string[] = [];
  let run: Token[] = [];
  let afterHyphen = false;
  const close = (): void => {
    while (run.length > 0 && !run[run.length - 1].tags.includes('Noun')) run.pop();
    const phrase = run
      .map((token) => token.text)
      .join('')
      .replace(/[^\p{L}\p{N})]+$/u, '')
      .trim();
    if (run.length >= 2 && run.length <= 4 && /^\p{L}[\p{L}\p{N}' -]+$/u.test(phrase)) phrases.push(phrase);
    run = [];
  };
  for (const token of tag(sentence)) {
    const fits = MODIFIER.some((name) => token.tags.includes(name)) && !NEVER.some((name) => token.tags.includes(name));
    const generic =
      /^(such|other|certain|our|we|us|any|company|various|several|additional|many|same|following|prior|new)\b/i.test(
        token.text.trim(),
      );
    // The head of a compound that doesn't belong (`third-` in `third-party software`) takes its tail along.
    if (!fits || generic || (afterHyphen && run.length === 0)) close();
    else run.push(token);
    if (/[,;:.()"–—/]/.test(token.text)) close();
    afterHyphen = /-$/.test(token.text);
  }
  close();
  return phrases;
}

/** Questions from two or three telling phrases of a sentence and from headings; `pick` draws a template by seed. */
export function phraseQuestions(
  sentence: Sentence,
  chunk: number,
  salience: Salience,
  words: Words,
  pick: (count: number) => number,
): Draft[] {
  if (sentence.isHeading) return [];
  const isSound = (token: string): boolean =>
    !words.isBroken(token) && (!sentence.isFragment || words.isFamiliar(token));
  const weighed = [...new Set(nounPhrases(sentence.text))]
    .filter((phrase) => tokensOf(phrase).every(isSound))
    .map((phrase) => ({ phrase, weight: salience.of(phrase, chunk) }))
    .sort((a, b) => b.weight - a.weight);
  const telling = weighed
    .filter(({ weight }) => weight >= TELLING * weighed[0].weight)
    .filter(({ phrase }, at) => !weighed.slice(0, at).some((other) => overlap(other.phrase, phrase)))
    .map(({ phrase }) => phrase);
  const chosen = telling.slice(0, 3).sort((a, b) => sentence.text.indexOf(a) - sentence.text.indexOf(b));
  const drafts: Draft[] = [];
  if (chosen.length >= 2) {
    const [a, b] = chosen;
    const all = chosen.length === 3 ? `${a}, ${b} and ${chosen[2]}` : `${a} and ${b}`;
    const forms = [
      `How are ${a} and ${b} related?`,
      `What is the role of ${a} with regard to ${b}?`,
      `What should a reader know about ${all}?`,
      `How does the company deal with ${all}?`,
      `What does the company say about ${all}?`,
    ];
    drafts.push({ kind: 'phrase', text: forms[pick(forms.length)] });
  }
  if (sentence.heading && chosen.length > 0 && isTitle(sentence.heading)) {
    const heading = sentence.heading.replace(/[^\p{L}\p{N})]+$/u, '');
    const cue = chosen.slice(0, 2).join(' and ');
    const forms = [
      `What is disclosed about ${heading}, in particular ${cue}?`,
      `With regard to ${heading}, what is said about ${cue}?`,
    ];
    drafts.push({ kind: 'heading', text: forms[pick(forms.length)] });
  }
  return drafts;
}

// Whether two phrases are the same but for capitals, or one holds the other.
function overlap(a: string, b: string): boolean {
  const [one, two] = [a.toLowerCase(), b.toLowerCase()];
  return one.includes(two) || two.includes(one);
}

// A title names a topic; a heading with a verb is a sentence and doesn't fit into a question as it stands.
function isTitle(heading: string): boolean {
  return (
    heading.split(' ').length <= 8 &&
    !/\b(is|are|was|were|may|might|can|could|will|would|must|has|have)\b|[?!:;]/i.test(heading)
  );
}

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
      !/^(total|in |and |of |at |for |note|december|year|item)/i.test(label);
    if (
      sound &&
      !/\b(january|february|march|april|june|july|august|september|october|november|december)\b/i.test(label)
    )
      if (!tokens.some((token) => words.isBroken(token)) && !labels.includes(label)) labels.push(label);
  }
  const drafts: Draft[] = [];
  for (let at = 0; at + 1 < labels.length; at += 3) {
    const [a, b, c] = labels.slice(at, at + 3);
    drafts.push({ kind: 'table', text: `What were the amounts of ${c ? `${a}, ${b} and ${c}` : `${a} and ${b}`}?` });
  }
  return drafts;
}
