// In: a sentence. Out: its main clause, taken apart for inversion, or nothing where the sentence is too involved to be
// turned round safely: word classes are guesses, and a question that is lost costs less than a broken one.
import { AUXILIARY, bare, CLAUSE_MARK, has, infinitiveOf, join, oneOf, SIMPLE_PAST, type Token, tag } from './tokens';

/** A main clause, ready for inversion: [lead,] subject auxiliary predicate. */
export interface Clause {
  /** An opening phrase that can go to the end (`in some places`, `if the buyer fails to pay`); may be empty. */
  lead: string;
  subject: string;
  /** Goes before the subject in a question (`is`, `may`, `did`). */
  auxiliary: string;
  /** What follows the subject, without the auxiliary: verb first (infinitive where `do` was added). */
  predicate: string;
  /** Whether the main verb is a form of `be`: the predicate then starts after it. */
  copula: boolean;
}

const LEAD =
  /^(in|on|at|as of|for|during|under|if|when|upon|unless|after|before|since|from|through|to|with|within|without|by|following|once|although|despite|except|subject to|pursuant|prior)\b/i;
const CONNECTIVE = new RegExp(
  `^(?:${oneOf(`additionally alternatively specifically however furthermore moreover further also in_addition
    therefore thus as_a_result for_example accordingly consequently in_particular finally similarly likewise
    nevertheless instead generally historically currently in_general in_such_case in_such_event in_that_case in_turn
    for_instance in_fact indeed and but or so second first third to_date as_such`)},?\\s+)+`,
  'i',
);
const OPINION = /^(we|the company|management) (also )?(believe|expect|anticipate|estimate)s? (that )?(?!to\b)/i;
// Stands for something in another sentence, or says nothing without it.
const VAGUE_SUBJECT = new RegExp(
  `^(?:${oneOf(`it its they their he she his her you your i my no nothing nobody there this these those such that
    which who what none neither other others another the_foregoing the_following the_above the_same the_former
    the_latter the_rest the_other the_others the_first the_second the_third the_fourth the_last here only even rather
    chiefly mainly just still together includes excludes represents nor yet then and or of because until including
    included provided given not whether`)}\\b|${oneOf('some any each both all many most few either one two three four five six several')}(?: ${oneOf(
    'of is are was were has have may can could will would also',
  )}\\b|$))`,
  'i',
);
const BARE_SUBJECT = new RegExp(
  `^(?:the|an?) ${oneOf(`effect answer result reason difference increase decrease change remainder balance figure
    amount number forecast purchase charge trust sum total rule practice work average table chart note matter point
    aim cost plan case way question latter`)}s?$`,
  'i',
);
const PREPOSITION =
  /^(of|in|on|at|for|from|to|with|by|under|about|between|as|against|over|through|within|per|after|before|during|above|below|than)$/;
// Verbs that `compromise` often takes for a plural noun.
const MOSTLY_VERBS =
  /^(bears|offers|holds|owns|carries|serves|covers|sells|buys|pays|leases|keeps|takes|makes|gives|runs|meets|lends|earns)$/;
// Singular in form, plural in use (`fourteen aircraft are`), or either (`half of the crews are`).
const EITHER =
  /(people|staff|crew|men|women|children|data|media|personnel|cent|half|majority|minority|most|rest|number|series|species|craft|police|fish|\d|%)$/;

/** A sentence without the words that join it to the one before (`However, in addition, …`). */
export function withoutConnective(sentence: string): string {
  return sentence.trim().replace(CONNECTIVE, '');
}

/** Whether a sentence or subject stands for something in another sentence (`This rule …`, `The effect …`). */
export function leansOnOthers(text: string): boolean {
  return VAGUE_SUBJECT.test(text) || BARE_SUBJECT.test(text);
}

/** Takes the main clause apart; undefined where that isn't safe. */
export function parseClause(sentence: string): Clause | undefined {
  let text = withoutConnective(sentence.replace(/[.;:,]+$/, ''));
  let lead = '';
  if (LEAD.test(text)) {
    const comma = text.search(/,\s(?!\d{4}\b)/);
    if (comma < 0 || comma > 120) return undefined;
    lead = text.charAt(0).toLowerCase() + text.slice(1, comma);
    text = text.slice(comma + 1).trim();
  }
  text = text.replace(OPINION, '');
  const tokens = tag(text);
  const at = verbAt(tokens);
  if (at < 1) return undefined;
  // `We also lease …`: the adverb follows the subject in a question too.
  let end = at;
  while (end > 1 && (has(tokens[end - 1], 'Adverb') || /^also$/.test(bare(tokens[end - 1])))) end--;
  const subject = tokens.slice(0, end);
  const verb = isPlainSubject(subject) ? takeVerb(tokens, at) : undefined;
  return verb && agrees(subject, verb.auxiliary)
    ? { ...verb, predicate: `${join(tokens.slice(end, at))} ${verb.predicate}`.trim(), subject: join(subject), lead }
    : undefined;
}

// Where the first auxiliary is, or else the first finite verb, before any comma or subordinate clause; -1 if none.
function verbAt(tokens: Token[]): number {
  let finite = -1;
  for (let at = 1; at < Math.min(tokens.length - 1, 12); at++) {
    const word = bare(tokens[at]);
    if (CLAUSE_MARK.test(word) || /[,;:]/.test(tokens[at - 1].text)) break;
    if (AUXILIARY.test(word)) return at;
    if (finite >= 0 && /^(and|or)$/.test(word)) break;
    if (finite < 0 && isFiniteVerb(tokens, at)) finite = at;
  }
  return finite;
}

function isFiniteVerb(tokens: Token[], at: number): boolean {
  const [token, next] = [tokens[at], tokens[at + 1]];
  const before = has(tokens[at - 1], 'Adverb') && at > 1 ? tokens[at - 2] : tokens[at - 1];
  const word = bare(token);
  if (has(token, 'Gerund') || !(has(token, 'PresentTense', 'PastTense') || SIMPLE_PAST.has(word))) return false;
  // `cash used in …`: a participle, unless it is a verb that moves by itself.
  const opensPhrase = PREPOSITION.test(bare(next)) || /^(pursuant|using|based)$/.test(bare(next));
  if (has(token, 'PastTense') && opensPhrase && !/^(\w+creased|rose|fell|grew|declined)$/.test(word)) return false;
  // Of two verbs in a row the first may be a noun or participle (`the legacy ships end …`).
  if (has(next, 'PastTense') || (/s$/.test(word) && has(next, 'Infinitive') && !has(next, 'Noun'))) return false;
  const isOwner = has(before, 'Possessive') || /'s?\s*$/.test(before.text);
  return has(before, 'Noun', 'Pronoun') && !isOwner && !/-$/.test(token.text.trim()) && !/-$/.test(before.text);
}

function isPlainSubject(tokens: Token[]): boolean {
  const subject = join(tokens);
  if (/^"[^"]+"$/.test(subject)) return true;
  if (tokens.length > 9 || leansOnOthers(subject) || LEAD.test(subject) || /[;:"),(]/.test(subject)) return false;
  if (tokens.some((token) => CLAUSE_MARK.test(bare(token)) || /^(not|also|it|he|she|they)$/.test(bare(token))))
    return false;
  if (tokens.slice(1).some((token) => /^(we|us)$/.test(bare(token))) || /^we\b./i.test(subject)) return false;
  if (MOSTLY_VERBS.test(bare(tokens[tokens.length - 1]))) return false;
  // `Measured at constant rates revenue …`, `Holding the first layer …`; a heading that ran into its sentence.
  if (has(tokens[0], 'PastTense', 'Gerund') && tokens.length > 1) return false;
  if (/(?<=[\p{Ll}\d)]) (The|An?|Our|These|This|In|We|If|Each|Every) /u.test(subject)) return false;
  return has(tokens[tokens.length - 1], 'Noun', 'Gerund', 'Date') || bare(tokens[0]) === 'we';
}

// Where a subject and its auxiliary don't agree in number, the sentence was misread.
function agrees(subject: Token[], auxiliary: string): boolean {
  const singular = /^(is|was|does|has)$/.test(auxiliary);
  if (!singular && !/^(are|were|do|have)$/.test(auxiliary)) return true;
  const end = subject.findIndex((token, at) => at > 0 && PREPOSITION.test(bare(token)));
  const phrase = end < 0 ? subject : subject.slice(0, end);
  const head = phrase[phrase.length - 1];
  const word = bare(head);
  // Names end as they like (`Fleet Finance`, `Voltarne Cells`).
  const mayBeEither = EITHER.test(word) || /^["(]?\p{Lu}/u.test(head.text.trim());
  if (mayBeEither || phrase.some((token) => /^(and|or|we)$/.test(bare(token)))) return true;
  return (has(head, 'Plural') || (/s$/.test(word) && !/(ss|us|is|'s|ics)$/.test(word))) !== singular;
}

// The verb at `at` with what follows, turned for a question; undefined where that isn't safe.
function takeVerb(tokens: Token[], at: number): Omit<Clause, 'lead' | 'subject'> | undefined {
  const word = bare(tokens[at]);
  const rest = tokens.slice(at + 1);
  if (rest.length === 0 || /[,;(]/.test(tokens[at].text) || /^(and|or|but)$/.test(bare(rest[0]))) return undefined;
  const next = rest.find((token) => !has(token, 'Adverb') && !/^(not|never|also)$/.test(bare(token)));
  const isHave = /^(has|have|had)$/.test(word);
  const participle =
    next && (has(next, 'PastTense', 'Participle') || /^(been|let|put|set|cut|run|become|come)$/.test(bare(next)));
  if (AUXILIARY.test(word) && (!isHave || participle)) {
    const copula = /^(is|are|was|were)$/.test(word) && !participle && !(next && has(next, 'Gerund'));
    return { auxiliary: word, predicate: join(rest), copula };
  }
  const infinitive = isHave ? 'have' : has(tokens[at], 'Infinitive') && !/s$/.test(word) ? word : infinitiveOf(word);
  const main = join(rest).split(
    /[,;]|\b(?:that|which|who|whose|when|if|because|unless|while|although|where|whether|and|as|how|what)\b/,
  )[0];
  // A participle before it may be the verb (`boats carried 27 per cent of trips`).
  if (tokens.slice(0, at).some((token) => has(token, 'PastTense'))) return undefined;
  if (!infinitive || /\b(is|are|was|were|will|may|could|would)\b/.test(main)) return undefined;
  const past = word === 'had' || SIMPLE_PAST.has(word) || (has(tokens[at], 'PastTense') && word !== infinitive);
  const auxiliary = past ? 'did' : word === infinitive ? 'do' : 'does';
  return { auxiliary, predicate: `${infinitive} ${join(rest)}`, copula: false };
}
