// A question made by turning a sentence round goes in; out comes whether it reads as one. The rules are strict: word
// classes are guesses, and a question that is lost costs less than a broken one.
import { bare, CLAUSE_MARK, has, SIMPLE_PAST, type Token, tag } from './tokens';

const FINITE = /^(is|are|was|were|will|would|may|might|can|could|must)$/;
const FIRST_FINITE = /^(is|are|was|were|will|would|may|might|can|could|should|must|has|have|had|does|do|did)$/;
const JOINS_CLAUSES =
  /^(as|than|until|before|after|once|since|though|however|whatever|whenever|wherever|provided|but|ago|save)$/;
const PARTICIPLE_AFTER_COMMA =
  /^(including|led|followed|based|together|subject|net|measured|adjusted|published|known|made|issued|held|given|signed|designed)$/;
const NO_QUESTION = [
  /[:;]/,
  // Points at something that isn't there.
  /\b(this|these|those|such) (?!who\b|that\b|of\b|as\b)\p{L}/iu,
  /\b(described|set out|shown|given|listed|presented|discussed|explained|summarised) (in|under|above|below)\b/i,
  /\b(as follows|in full below|the following|above-mentioned|therefore|thereafter|accordingly)\b/i,
  // A clause or a reason where the subject belongs.
  /^(\S+ ){0,3}(do|does|did|is|are|was|were) (as|though|although|if|because|since|unless|due)\b/i,
  // A heading that ran into its sentence.
  /(?<=[\p{Ll}\d)]) (The|An?|Our|These|This|In|We|If|Each|Every|It|They) /u,
  // A cut in the wrong place.
  /\b(from|after|before|at|to|until|by|on) (the|which) (point|date|time|day|extent|rate|year|month|moment)\?$/i,
  /\b(in comparison|in addition|in particular|as well|in proportion|in respect|on account)\?$/i,
  /\b(on|in|at|by|from) \d{1,2}(\.\d+)?\?$|\bas to\b/i,
  /, (since|the|an?|and|or)\b[^,]{0,12}\?$/i,
  /\b(\p{L}+) \1\b/iu,
];

/** Whether a question with its auxiliary before the subject reads as a sentence. */
export function isWellFormed(question: string): boolean {
  if (NO_QUESTION.some((pattern) => pattern.test(question))) return false;
  const tokens = tag(question.replace(/\?$/, ''));
  const first = tokens.findIndex((token) => FIRST_FINITE.test(bare(token)));
  if (first < 0) return false;
  const auxiliary = bare(tokens[first]);
  const rest = tokens.slice(first + 1);
  // A pronoun as the first object has nothing to stand for.
  if (rest.slice(0, 8).some((token) => /^(them|they|their|he|she)$/.test(bare(token))) && !isPluralBefore(rest))
    return false;
  let isSubordinate = false;
  for (const [at, token] of rest.entries()) {
    const word = bare(token);
    const before = rest[at - 1];
    const next = rest[at + 1];
    if (CLAUSE_MARK.test(word) || JOINS_CLAUSES.test(word)) isSubordinate = true;
    else if (FINITE.test(word)) {
      if (!isSubordinate) return false;
      isSubordinate = false;
    } else if (!isSubordinate && SIMPLE_PAST.has(word)) return false;
    if (!before) continue;
    if (/,/.test(before.text) && opensVerb(token)) return false;
    if (isThirdPerson(token) && has(before, 'Noun') && !isSubordinate) return false;
    if (/^(do|does|did|will|would|may|might|can|could|must)$/.test(auxiliary) && !isSubordinate) {
      if (has(token, 'PastTense') && has(before, 'Noun') && (!next || /^(the|an?|its|their|\d+)$/.test(bare(next))))
        return false;
      if (
        has(token, 'PastTense') &&
        /^and$/.test(bare(before)) &&
        (!next || /^(away|up|out|off|down|the|an?|its|to|by|for)$/.test(bare(next)))
      )
        return false;
    }
  }
  return true;
}

function opensVerb(token: Token): boolean {
  if (PARTICIPLE_AFTER_COMMA.test(bare(token)) || has(token, 'Noun') || has(token, 'Gerund')) return false;
  return ['PastTense', 'PresentTense', 'Infinitive', 'Modal', 'Copula', 'Auxiliary'].some((name) => has(token, name));
}

function isThirdPerson(token: Token): boolean {
  return has(token, 'PresentTense') && /s$/.test(bare(token)) && !has(token, 'Noun');
}

function isPluralBefore(tokens: Token[]): boolean {
  const at = tokens.findIndex((token) => /^(them|they|their|he|she)$/.test(bare(token)));
  return tokens.slice(0, at).some((token) => has(token, 'Plural') || /\p{L}{3}s$/u.test(bare(token)));
}
