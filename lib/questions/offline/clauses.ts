// A sentence goes in; out comes its main clause, taken apart: lead phrase, subject, auxiliary, verb and the rest, or
// nothing where the sentence is too involved to be turned round safely. Word classes come from `compromise`.
import nlp from 'compromise/three';

/** One word with compromise's tags. */
export interface Token {
  text: string;
  tags: string[];
}

/** A main clause, ready for inversion: [lead,] subject [auxiliary] [not] verb rest. */
export interface Clause {
  /** An opening phrase that can go to the end (`in certain jurisdictions`, `if the buyer fails to pay`); may be empty. */
  lead: string;
  subject: string;
  /** The auxiliary that goes before the subject in a question (`is`, `may`, `did`). */
  auxiliary: string;
  /** Everything after the subject with the auxiliary taken out: verb first (infinitive where `do` was added). */
  predicate: string;
  /** Whether the main verb is a form of `be`: the predicate then starts after it. */
  copula: boolean;
  modal: boolean;
}

const AUXILIARY = /^(is|are|was|were|will|would|may|might|can|could|should|must|shall|has|have|had|does|do|did)$/;
const MODAL = /^(would|may|might|can|could|should|must)$/;
const BE = /^(is|are|was|were)$/;
const CLAUSE_MARK = /^(that|which|who|whom|whose|when|if|because|unless|while|whereas|although|where|whether)$/;
const LEAD =
  /^(in|on|at|as|for|during|under|if|when|upon|unless|after|before|since|from|through|to|with|within|without|by|following|once|while|although|because|despite|except|subject|pursuant|prior)\b/i;
const CONNECTIVE =
  /^(additionally|however|furthermore|moreover|further|also|in addition|therefore|thus|as a result|for example|accordingly|consequently|in particular|finally|similarly|likewise|nevertheless|instead|generally|historically|currently|in general|in such (case|event)|in that case|in turn|for instance|in fact|indeed|and|but|or|so|second|first|third),?\s+/i;
const VAGUE_SUBJECT =
  /^(it|its|they|their|he|she|you|i|no|nothing|nobody|there|this|these|those|such|that|which|who|what|some|any|each|both|all|many|most|one|none|neither|either|others?|the (foregoing|following|above|same|former|latter)|here)\b/i;
const OPINION = /^(we|the company|management) (also )?(believe|expect|anticipate)s? (that )?(?!to\b)/i;
const MAX_SUBJECT_WORDS = 10;

/** A sentence's words with their tags. */
export function tag(sentence: string): Token[] {
  const view = nlp(sentence).json({ terms: { text: true, tags: true, whitespace: true } }) as unknown as {
    terms: TaggedTerm[];
  }[];
  return view.flatMap((part) => part.terms).flatMap(toTokens);
}

interface TaggedTerm {
  text: string;
  pre: string;
  post: string;
  tags: string[];
}

// Blanks end a word; hyphens, brackets and commas stay with it, so that the joined texts are the sentence again.
function toTokens(term: TaggedTerm): Token[] {
  const text = `${term.pre}${term.text}${term.post}`;
  return text.trim() === '' ? [] : [{ text, tags: term.tags }];
}

const join = (tokens: Token[]): string =>
  tokens
    .map((token) => token.text)
    .join('')
    .trim();
const bare = (token: Token): string => token.text.toLowerCase().replace(/[^\p{L}\p{N}'$%]/gu, '');
const has = (token: Token, name: string): boolean => token.tags.includes(name);

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
  const clause = takeVerb(tokens, at, subject);
  return clause && { ...clause, lead };
}

function isPlainSubject(subject: string, tokens: Token[]): boolean {
  if (tokens.length > MAX_SUBJECT_WORDS || VAGUE_SUBJECT.test(subject)) return false;
  if (/^"[^"]+"$/.test(subject)) return true;
  if (/[;:"]|, |\($/.test(subject)) return false;
  if (tokens.some((token) => CLAUSE_MARK.test(bare(token)) || /^(not|also|it|he|she)$/.test(bare(token)))) return false;
  if (
    /^(including|included|then|and|or|respectively|provided|such as|of|the table|because|since|before|after|in|on|at|for|during|under|if|when|until|to|with)\b/i.test(
      subject,
    )
  )
    return false;
  const last = tokens[tokens.length - 1];
  return has(last, 'Noun') || has(last, 'Gerund') || has(last, 'Date') || /\)$/.test(subject);
}

// The first auxiliary, or else the first finite verb after a noun, before any subordinate clause.
function mainVerb(tokens: Token[]): number {
  let finite = -1;
  for (let at = 1; at < Math.min(tokens.length - 1, 14); at++) {
    const word = bare(tokens[at]);
    if (CLAUSE_MARK.test(word)) break;
    if (AUXILIARY.test(word)) return finite >= 0 && /[,;]/.test(join(tokens.slice(finite, at))) ? finite : at;
    if (finite >= 0) {
      if (/^(and|or)$/.test(word) || /[,;]/.test(tokens[at - 1].text)) break;
    } else if (isFiniteVerb(tokens, at)) finite = isFollowedByVerb(tokens, at) ? at + 1 : at;
  }
  return finite;
}

function isFiniteVerb(tokens: Token[], at: number): boolean {
  const token = tokens[at];
  const before = tokens[at - 1];
  const finite = (has(token, 'PresentTense') || has(token, 'PastTense')) && !has(token, 'Gerund');
  if (!finite || /[,;]/.test(before.text) || /-$/.test(before.text) || /-$/.test(token.text)) return false;
  const adverbFree = has(before, 'Adverb') && at > 1 ? tokens[at - 2] : before;
  if (has(token, 'PastTense') && /^(by|in|to|on|for|with|from|under|at)$/.test(bare(tokens[at + 1]))) {
    // `cash used in …`: a participle, unless nothing else can be the verb; only clear movers count.
    if (!/^(increased|decreased|rose|fell|grew|declined|came|went|entered|served|began)$/.test(bare(token)))
      return false;
  }
  return (has(adverbFree, 'Noun') || has(adverbFree, 'Pronoun')) && !has(before, 'Possessive');
}

// `the legacy ships end …`, `the slots sold numbered …`: of two verbs in a row the first is a noun or a participle.
function isFollowedByVerb(tokens: Token[], at: number): boolean {
  const next = tokens[at + 1];
  if (/s$/.test(bare(tokens[at])) && has(next, 'Infinitive') && !has(next, 'Noun')) return true;
  return has(tokens[at], 'PastTense') && has(next, 'PastTense');
}

function takeVerb(tokens: Token[], at: number, subject: string): Omit<Clause, 'lead'> | undefined {
  const word = bare(tokens[at]);
  const rest = upToSecondVerb(tokens.slice(at + 1), word);
  if (rest.length === 0 || /^(and|or|but)$/.test(bare(rest[0]))) return undefined;
  const next = rest.find((token) => !has(token, 'Adverb') && !/^(not|never|also)$/.test(bare(token)));
  const isPerfect =
    /^(has|have|had)$/.test(word) &&
    next !== undefined &&
    (has(next, 'PastTense') || has(next, 'Participle') || /^(been|let|put|set|cut|run|become|come)$/.test(bare(next)));
  if (AUXILIARY.test(word) && (!/^(has|have|had|do|does|did)$/.test(word) || isPerfect)) {
    const passive = next !== undefined && (has(next, 'PastTense') || has(next, 'Participle') || has(next, 'Gerund'));
    return {
      subject,
      auxiliary: word,
      predicate: join(rest),
      copula: BE.test(word) && !passive,
      modal: MODAL.test(word),
    };
  }
  if (/^[^,;]*\b(is|are|was|were|will|may|could|would)\b/.test(mainPart(join(rest)))) return undefined;
  const infinitive = /^(has|have|had)$/.test(word) ? 'have' : infinitiveOf(word);
  if (!infinitive) return undefined;
  const past = word === 'had' || (has(tokens[at], 'PastTense') && word !== infinitive);
  const plural = word === infinitive;
  const auxiliary = past ? 'did' : plural ? 'do' : 'does';
  const negated = /^(do|does|did)$/.test(word);
  return {
    subject,
    auxiliary,
    predicate: negated ? join(rest) : `${infinitive} ${join(rest)}`,
    copula: false,
    modal: false,
  };
}

// Up to the first subordinate clause.
function mainPart(text: string): string {
  const mark = text.search(
    /\b(that|which|who|whose|when|if|because|unless|while|whereas|although|where|whether|and|as|how|what)\b/,
  );
  return mark < 0 ? text : text.slice(0, mark);
}

// `… requires costs and requires attention`: the second finite verb can't follow the question's auxiliary.
function upToSecondVerb(rest: Token[], verb: string): Token[] {
  const cut = rest.findIndex((token, at) => {
    if (at === 0) return false;
    const isThirdPerson = has(token, 'PresentTense') && /s$/.test(bare(token)) && !has(token, 'Noun');
    if (isThirdPerson && /,/.test(rest[at - 1].text)) return true;
    if (!/^(and|or|but)$/.test(bare(token))) return false;
    const next = rest.slice(at + 1).find((other) => !has(other, 'Adverb'));
    if (!next) return true;
    const word = bare(next);
    if (AUXILIARY.test(word) || /^(we|it|they|he|she|there|in|if|when|as)$/.test(word)) return true;
    if (/^(is|are|was|were|has|have|had)$/.test(verb) && has(next, 'Infinitive') && !has(next, 'Noun')) return true;
    if (startsClause(rest.slice(at + 1))) return true;
    return has(next, 'PresentTense') && !has(next, 'Infinitive') && !has(next, 'Gerund') && !/ing$/.test(word);
  });
  return cut < 0 ? rest : rest.slice(0, cut);
}

// Whether a subject and its auxiliary come next (`… and the holders of Class B stock are entitled`).
function startsClause(tokens: Token[]): boolean {
  for (const token of tokens.slice(0, 9)) {
    const word = bare(token);
    if (AUXILIARY.test(word)) return true;
    if (CLAUSE_MARK.test(word) || /[,;]/.test(token.text)) return false;
  }
  return false;
}

function infinitiveOf(verb: string): string {
  const view = nlp(verb).tag('Verb') as unknown as { verbs(): { json(): { verb?: { infinitive?: string } }[] } };
  return view.verbs().json()[0]?.verb?.infinitive ?? '';
}
