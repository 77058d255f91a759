// A chunk's sentences go in; out come its key phrases (`capped call transactions`), the most telling first, and
// the questions that a phrase or a heading calls for where no clause could be turned round.

import type { Sentence } from './chunk-sentences';
import type { Salience } from './salience';
import type { Draft } from './templates';
import { bare, MOSTLY_VERBS, type Token, tag } from './tokens';
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

const GENERIC =
  /^(such|other|certain|our|we|us|any|company|various|several|different|additional|many|more|less|fewer|same|own|following|above|prior|previous|new|main|whole|further|similar|respective|corresponding|like|due|able|mere|very|half|in|on|at|by|to|of|for|from|under|against|with|within|between|across|before|after|during|about|over|per|as|than)\b/i;
// Verbs that compromise takes for nouns, or nouns that say nothing alone.
const NO_PART =
  /^(rose|rises?|fell|falls|grew|shows?|stands?|needs?|means?|sets?|lets?|puts?|keeps?|takes?|makes?|gives?|runs?|load|strand|less|plus|others?|thing|things|way|ways|end|remainder|regard|carry|old|years?|months?|days?)$/i;
const ARTICLE = /^(the|an?)$/i;
// After these a phrase in the singular can't stand without them.
const POINTER = /^(its|their|his|her|our|this|that|each|every|no|any|another|one|\d.*)$/i;

/** Noun phrases of two to four words with their articles (`the nearest landing stage`), in order of appearance. */
export function nounPhrases(sentence: string): string[] {
  const phrases: string[] = [];
  let run: Token[] = [];
  let before = '';
  let afterHyphen = false;
  const close = (next: string): void => {
    while (run.length > 0 && !run[run.length - 1].tags.includes('Noun')) run.pop();
    const phrase = run
      .map((token) => token.text)
      .join('')
      .replace(/[^\p{L}\p{N})]+$/u, '')
      .trim();
    const sound =
      run.length >= 2 && run.length <= 4 && /^\p{L}[\p{L}\p{N}' -]+$/u.test(phrase) && !/ [A-Z]{3}$/.test(phrase);
    const isPlural = /[^s]s$/.test(phrase);
    const isName = /\s\p{Lu}/u.test(phrase);
    const isWhole = isPlural || isName || ARTICLE.test(before) || !POINTER.test(before);
    // `Hail offers the …`: perhaps a verb.
    const mayBeVerb = isPlural && /^(the|an?|its|their|our|no)$/i.test(next);
    if (sound && isWhole && !mayBeVerb)
      phrases.push(ARTICLE.test(before) ? `${before.toLowerCase()} ${phrase}` : phrase);
    run = [];
  };
  for (const token of tag(sentence)) {
    const text = token.text.trim();
    const fits = MODIFIER.some((name) => token.tags.includes(name)) && !NEVER.some((name) => token.tags.includes(name));
    const isPart =
      fits && !GENERIC.test(text) && !NO_PART.test(text.replace(/\W+$/, '')) && !MOSTLY_VERBS.test(bare(token));
    // The head of a compound that doesn't belong (`third-` in `third-party software`) takes its tail along.
    if (!isPart || (afterHyphen && run.length === 0)) close(text);
    else run.push(token);
    if (/[,;:.()"–—/]/.test(token.text)) close('');
    afterHyphen = /-$/.test(text);
    if (run.length === 0) before = text;
  }
  close('');
  return phrases;
}

type Pick = (count: number) => number;

// The most telling phrases, no two alike, in the sentence's order.
function tellingPhrases(sentence: Sentence, chunk: number, salience: Salience, words: Words): string[] {
  const isSound = (token: string): boolean =>
    !words.isBroken(token) && (!sentence.isFragment || words.isFamiliar(token));
  const weighed = [...new Set(nounPhrases(sentence.text))]
    .filter((phrase) => tokensOf(phrase).every(isSound))
    .map((phrase) => ({ phrase, weight: salience.of(phrase, chunk) }))
    .sort((a, b) => b.weight - a.weight);
  return weighed
    .filter(({ weight }) => weight >= TELLING * weighed[0].weight)
    .filter(({ phrase }, at) => !weighed.slice(0, at).some((other) => overlap(other.phrase, phrase)))
    .slice(0, 3)
    .map(({ phrase }) => phrase)
    .sort((a, b) => sentence.text.indexOf(withoutArticle(a)) - sentence.text.indexOf(withoutArticle(b)));
}

/** A question over two or three telling phrases of a sentence; `pick` draws a template by seed. */
export function phraseQuestions(
  sentence: Sentence,
  chunk: number,
  salience: Salience,
  words: Words,
  pick: Pick,
): Draft[] {
  if (sentence.isHeading) return [];
  const chosen = tellingPhrases(sentence, chunk, salience, words);
  if (chosen.length < 2) return [];
  const [a, b] = chosen;
  const all = chosen.length === 3 ? `${a}, ${b} and ${chosen[2]}` : `${a} and ${b}`;
  const forms = [
    `What does the company say about ${all}?`,
    `What is said about ${a} in connection with ${b}?`,
    `What should a reader know about ${all}?`,
  ];
  return [{ kind: 'phrase', text: forms[pick(forms.length)] }];
}

/** A question over a heading and a telling phrase of a sentence below it; `pick` draws a template by seed. */
export function headingQuestions(
  sentence: Sentence,
  chunk: number,
  salience: Salience,
  words: Words,
  pick: Pick,
): Draft[] {
  if (sentence.isHeading || !sentence.heading) return [];
  const heading = sentence.heading.replace(/^(?:note|item|part)\s+\w{1,4}\W+/i, '').replace(/[^\p{L}\p{N})]+$/u, '');
  const chosen = tellingPhrases(sentence, chunk, salience, words).filter((phrase) => !overlap(phrase, heading));
  if (chosen.length === 0 || !isTitle(heading)) return [];
  const cue = chosen.slice(0, 2).join(' and ');
  const topic = inText(heading, words);
  const forms = [
    `What is disclosed about ${topic}, in particular ${cue}?`,
    `With regard to ${topic}, what is said about ${cue}?`,
  ];
  return [{ kind: 'heading', text: forms[pick(forms.length)] }];
}

// Lower case in the middle of a question, unless the title is written as a name.
function inText(heading: string, words: Words): string {
  if (heading === heading.toUpperCase() && heading.includes(' ')) return heading.toLowerCase();
  const [first, ...others] = heading.split(' ');
  const isName =
    others.some((word) => /^\p{Lu}/u.test(word)) || !words.isCommon(first) || !/^\p{Lu}\p{Ll}+/u.test(first);
  return isName ? heading : heading.charAt(0).toLowerCase() + heading.slice(1);
}

const withoutArticle = (phrase: string): string => phrase.replace(/^(the|an?) /, '');

// Whether two phrases are the same but for capitals, or one holds the other.
function overlap(a: string, b: string): boolean {
  const [one, two] = [withoutArticle(a).toLowerCase(), withoutArticle(b).toLowerCase()];
  return one.includes(two) || two.includes(one);
}

// A title names a topic. A heading with a verb is a sentence and doesn't fit into a question as it stands; five capitals
// without a small word between them are the heads of a table.
function isTitle(heading: string): boolean {
  const parts = heading.split(' ');
  if (parts.length > 8 || /[?!:;.]|\d/.test(heading)) return false;
  if (parts.length > 4 && !parts.some((word) => /^(and|of|the|for|in|to|on|with|from|by|at|our)$/.test(word)))
    return false;
  const tokens = tag(heading.toLowerCase());
  return !tokens.some(
    ({ tags, text }, at) =>
      /^(is|are|was|were|may|might|can|could|will|would|must|has|have|had)\W*$/.test(text) ||
      (at > 0 &&
        at < tokens.length - 1 &&
        !tags.includes('Gerund') &&
        ['PresentTense', 'Infinitive', 'Modal'].some((name) => tags.includes(name))),
  );
}
