// In: a question made by turning a sentence round. Out: whether it reads as one. The rules are strict: word classes are
// guesses, and a question that is lost costs less than a broken one.
import { AUXILIARY, bare, CLAUSE_MARK, has, SIMPLE_PAST, tag } from './tokens';

const FLAWS = [
  /[:;]|'s\p{Ll}|\p{Ll}{2}\. \p{Ll}/u,
  // Quotes or brackets that don't close.
  /^(?:[^"]*"[^"]*")*[^"]*"[^"]*$|\([^)]*$|^[^(]*\)/,
  // Points at something that isn't there.
  /^Is it \w+( case)? that ((\S+ ){1,3}(them|it)|(in|at|on|by|for) (\S+ ){0,5}(it|they)|(\S+ ){1,5}it (is|was|has|had|may|will))\b/,
  /^(\S+ ){0,8}(this|these|those|such) (?!who\b|that\b|of\b|as\b)\p{L}/iu,
  /\b(described|set out|shown|given|listed|presented|discussed|explained|summarised|noted|defined) (in|under|above|below|elsewhere|further)\b/i,
  /\b(as follows|in full below|the (following|preceding)|above-mentioned|the table|(figures?|tables?) (below|above)|thereafter|foregoing|aforementioned)\b/i,
  // A clause or a reason where the subject belongs.
  /^(\S+ ){0,3}(do|does|did|is|are|was|were) (as|though|although|if|because|since|unless|due)\b/i,
  // A heading that ran into its sentence.
  /(?<=[\p{Ll}\d)]) (The|An|Our|These|This|In|We|If|Each|Every|It|They) /u,
  // A cut in the wrong place.
  /\b(from|after|before|at|to|until|by|on) (the|which) (point|date|time|day|extent|rate|year|month|moment)\?$/i,
  /\b(in comparison|in addition|in particular|as well|in proportion|in respect|on account|as a result|in light)\?$/i,
  /\b(on|in|at|by|from) \d{1,2}(\.\d+)?\?$|\bas to\?$|\b(be|not) (relied|able)\?$/i,
  /, (since|the|an?|and|or|\d+)\b[^,]{0,12}\?$/i,
  /\b(\p{L}+) \1\b|company's company/iu,
];

/** Whether a question, turned or not, points outside itself or was cut or joined in the wrong place. */
export function isFlawed(question: string): boolean {
  return FLAWS.some((pattern) => pattern.test(question));
}

/** Whether a question with its auxiliary before the subject reads as a sentence. */
export function isWellFormed(question: string): boolean {
  const tokens = tag(question.replace(/\?$/, ''));
  const first = tokens.findIndex((token) => AUXILIARY.test(bare(token)));
  if (first < 0 || isFlawed(question)) return false;
  const takesInfinitive = /^(do|does|did|will|would|can|could|must)$/.test(bare(tokens[first]));
  const rest = tokens.slice(first + 1);
  // A pronoun needs a plural before it to stand for.
  const pronoun = rest.slice(0, 8).findIndex((token) => /^(them|they|their|he|she)$/.test(bare(token)));
  if (pronoun >= 0 && !rest.slice(0, pronoun).some((token) => /\p{L}{3}s$|^people$/u.test(bare(token)))) return false;
  let isSubordinate = false;
  return rest.every((token, at) => {
    const [before, next] = [rest[at - 1], rest[at + 1]];
    const word = bare(token);
    const inMainClause = !isSubordinate;
    const opensClause = CLAUSE_MARK.test(word);
    const followsNoun = before && has(before, 'Noun', 'Date', 'Value');
    const isThirdPerson = has(token, 'PresentTense') && /s$/.test(word) && !has(token, 'Noun');
    const isFiniteVerb = AUXILIARY.test(word) || SIMPLE_PAST.has(word) || (isThirdPerson && followsNoun);
    if (opensClause) isSubordinate = true;
    else if (isFiniteVerb) isSubordinate = false;
    const isJoined = before && /^(and|or|but)$/.test(bare(before));
    if (isJoined && (AUXILIARY.test(word) || (takesInfinitive && /..ed$/.test(word)))) return false;
    if (opensClause || !inMainClause) return true;
    // The auxiliary is the main clause's finite verb: a second one has no place.
    if (isFiniteVerb) return false;
    if (!before || has(token, 'Noun', 'Gerund', 'Adjective')) return true;
    const isVerb = has(token, 'PastTense', 'PresentTense');
    const fits = next && has(token, takesInfinitive ? 'Infinitive' : 'PastTense');
    if (isVerb && (/,/.test(before.text) || (isJoined && !fits))) return false;
    const hasObject =
      !next || /^(the|an?|its|their|to|by|for|up|out|off)$|^[$€£\d]/.test(bare(next)) || /^\p{Lu}/u.test(next.text);
    return !(takesInfinitive && has(token, 'PastTense') && hasObject && has(before, 'Noun'));
  });
}
