// A sentence goes in; out comes its main clause, taken apart: lead phrase, subject, auxiliary, verb and the rest, or
// nothing where the sentence is too involved to be turned round safely. Word classes come from `compromise`.
import { agrees } from './agreement';
import { AUXILIARY, bare, CLAUSE_MARK, has, join, MOSTLY_VERBS, type Token, tag } from './tokens';
import { mainVerb, takeVerb, type VerbPhrase } from './verbs';

/** A main clause, ready for inversion: [lead,] subject [auxiliary] [not] verb rest. */
export interface Clause extends VerbPhrase {
  /** An opening phrase that can go to the end (`in certain jurisdictions`, `if the buyer fails to pay`); may be empty. */
  lead: string;
  subject: string;
}

const LEAD =
  /^(in|on|at|as|for|during|under|if|when|upon|unless|after|before|since|from|through|to|with|within|without|by|following|once|while|although|because|despite|except|subject|pursuant|prior)\b/i;
const CONNECTIVE =
  /^(additionally|however|furthermore|moreover|further|also|in addition|therefore|thus|as a result|for example|accordingly|consequently|in particular|finally|similarly|likewise|nevertheless|instead|generally|historically|currently|in general|in such (case|event)|in that case|in turn|for instance|in fact|indeed|and|but|or|so|second|first|third),?\s+/i;
const VAGUE_SUBJECT =
  /^(it|its|they|their|he|she|you|i|no|nothing|nobody|there|this|these|those|such|that|which|who|what|some|any|each|both|all|many|most|one|none|neither|either|others?|the (foregoing|following|above|same|former|latter)|here)\b/i;
// Says nothing without the sentence before it.
const BARE_SUBJECT =
  /^(the|a) (rest|effect|answer|result|reason|difference|increase|decrease|change|remainder|balance|figure|amount|number|others?|forecast|purchase|charge|first|second|third|fourth|last|trust|sum|total|rule|practice|work|average)$|^(one|two|three|four|five|several) (things|factors|reasons|changes)\b|^(only|even|rather|chiefly|mainly|just|still)\b/i;
const OPINION = /^(we|the company|management) (also )?(believe|expect|anticipate)s? (that )?(?!to\b)/i;
const MAX_SUBJECT_WORDS = 10;

/** Takes the main clause apart; undefined where that isn't safe. */
export function parseClause(sentence: string): Clause | undefined {
  let text = sentence.replace(/[.;:,]+$/, '').trim();
  while (CONNECTIVE.test(text)) text = text.replace(CONNECTIVE, '');
  let lead = '';
  if (LEAD.test(text)) {
    const comma = text.search(/,\s(?!\d{4}\b)/);
    if (comma < 0 || comma > 120) return undefined;
    lead = text.charAt(0).toLowerCase() + text.slice(1, comma);
    text = text
      .slice(comma + 1)
      .replace(/^\s*then\b/, '')
      .trim();
  }
  text = text.replace(OPINION, '');
  const tokens = tag(text);
  if (tokens.length === 0 || AUXILIARY.test(bare(tokens[0]))) return undefined;
  const at = mainVerb(tokens);
  if (at < 1) return undefined;
  const subject = join(tokens.slice(0, at)).replace(/,$/, '');
  if (!isPlainSubject(subject, tokens.slice(0, at))) return undefined;
  const verb = takeVerb(tokens, at);
  if (!verb || !agrees(tokens.slice(0, at), verb.auxiliary)) return undefined;
  return { ...verb, subject, lead };
}

function isPlainSubject(subject: string, tokens: Token[]): boolean {
  if (tokens.length > MAX_SUBJECT_WORDS || VAGUE_SUBJECT.test(subject)) return false;
  if (BARE_SUBJECT.test(subject)) return false;
  if (/^"[^"]+"$/.test(subject)) return true;
  if (/[;:"]|, |\($/.test(subject)) return false;
  if (tokens.some((token) => CLAUSE_MARK.test(bare(token)) || /^(not|also|it|he|she)$/.test(bare(token)))) return false;
  if (
    /^(including|included|then|and|or|respectively|provided|given|such as|of|the table|because|since|before|after|in|on|at|for|during|under|if|when|until|to|with)\b/i.test(
      subject,
    )
  )
    return false;
  // `Measured at constant rates revenue …`: an opening participle without its comma.
  const [first, second] = tokens;
  if (second && has(first, 'PastTense') && /^(at|by|in|on|for|with|from|to|as)$/.test(bare(second))) return false;
  if (/(?<=[\p{Ll}\d)]) (The|An?|Our|These|This|In|We|If|Each|Every) /u.test(subject)) return false;
  const last = tokens[tokens.length - 1];
  if (MOSTLY_VERBS.test(bare(last))) return false;
  return has(last, 'Noun') || has(last, 'Gerund') || has(last, 'Date') || /\)$/.test(subject);
}
