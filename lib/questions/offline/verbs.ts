// A tagged sentence goes in; out comes where its main verb stands, and the auxiliary and predicate a question needs.
import nlp from 'compromise/three';
import { AUXILIARY, bare, CLAUSE_MARK, has, join, SIMPLE_PAST, type Token } from './tokens';

/** What a question takes from a verb and all that follows it. */
export interface VerbPhrase {
  /** The auxiliary that goes before the subject in a question (`is`, `may`, `did`). */
  auxiliary: string;
  /** Everything after the subject with the auxiliary taken out: verb first (infinitive where `do` was added). */
  predicate: string;
  /** Whether the main verb is a form of `be`: the predicate then starts after it. */
  copula: boolean;
  modal: boolean;
}

const MODAL = /^(would|may|might|can|could|should|must)$/;
const BE = /^(is|are|was|were)$/;

/** Where the first auxiliary is, or else the first finite verb after a noun, before any subordinate clause; -1 if none. */
export function mainVerb(tokens: Token[]): number {
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
  const finite =
    ((has(token, 'PresentTense') || has(token, 'PastTense')) && !has(token, 'Gerund')) || SIMPLE_PAST.has(bare(token));
  if (!finite || /[,;]/.test(before.text) || /-$/.test(before.text) || /-$/.test(token.text)) return false;
  const adverbFree = has(before, 'Adverb') && at > 1 ? tokens[at - 2] : before;
  if (has(token, 'PastTense') && /^(by|in|to|on|for|with|from|under|at)$/.test(bare(tokens[at + 1]))) {
    // `cash used in …`: a participle, unless nothing else can be the verb; only clear movers count.
    if (!/^(increased|decreased|rose|fell|grew|declined|came|went|entered|served|began)$/.test(bare(token)))
      return false;
  }
  return (has(adverbFree, 'Noun') || has(adverbFree, 'Pronoun')) && !has(before, 'Possessive');
}

// `the legacy ships end …`, `the slots sold numbered …`: of two verbs in a row the first is a noun or a participle. Not
// so in `offers boats`, `bears liquidated damages`: a plural and a verb's third person don't go together.
function isFollowedByVerb(tokens: Token[], at: number): boolean {
  const next = tokens[at + 1];
  if (/s$/.test(bare(tokens[at])) && has(next, 'Infinitive') && !has(next, 'Noun')) return !/s$/.test(bare(next));
  return has(tokens[at], 'PastTense') && has(next, 'PastTense');
}

/** The verb at `at` with what follows, turned for a question; undefined where that isn't safe. */
export function takeVerb(tokens: Token[], at: number): VerbPhrase | undefined {
  const word = bare(tokens[at]);
  const rest = upToSecondVerb(tokens.slice(at + 1), word);
  if (rest.length === 0 || /[,;]$/.test(tokens[at].text.trim()) || /^(and|or|but)$/.test(bare(rest[0])))
    return undefined;
  const next = rest.find((token) => !has(token, 'Adverb') && !/^(not|never|also)$/.test(bare(token)));
  const isPerfect =
    /^(has|have|had)$/.test(word) &&
    next !== undefined &&
    (has(next, 'PastTense') || has(next, 'Participle') || /^(been|let|put|set|cut|run|become|come)$/.test(bare(next)));
  if (AUXILIARY.test(word) && (!/^(has|have|had|do|does|did)$/.test(word) || isPerfect)) {
    const passive =
      next !== undefined &&
      !/^(operating|remaining|outstanding)$/.test(bare(next)) &&
      (has(next, 'PastTense') || has(next, 'Participle') || has(next, 'Gerund'));
    return {
      auxiliary: word,
      predicate: join(rest),
      copula: BE.test(word) && !passive,
      modal: MODAL.test(word),
    };
  }
  if (/^[^,;]*\b(is|are|was|were|will|may|could|would)\b/.test(mainPart(join(rest)))) return undefined;
  const infinitive = /^(has|have|had)$/.test(word) ? 'have' : infinitiveOf(word);
  if (!infinitive) return undefined;
  const past = word === 'had' || SIMPLE_PAST.has(word) || (has(tokens[at], 'PastTense') && word !== infinitive);
  const plural = word === infinitive;
  const auxiliary = past ? 'did' : plural ? 'do' : 'does';
  const negated = /^(do|does|did)$/.test(word);
  return {
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
  const infinitive = SIMPLE_PAST.get(verb) ?? view.verbs().json()[0]?.verb?.infinitive ?? '';
  // Some come out cut (`owns` → `ow`).
  const fits =
    !/s$/.test(verb) || [`${infinitive}s`, `${infinitive}es`, infinitive.replace(/y$/, 'ies')].includes(verb);
  return fits ? infinitive : verb.slice(0, -1);
}
