// A sentence goes in; out come its words with their classes, from `compromise`.
import nlp from 'compromise/three';

/** One word with compromise's tags. */
export interface Token {
  text: string;
  tags: string[];
}

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

export const join = (tokens: Token[]): string =>
  tokens
    .map((token) => token.text)
    .join('')
    .trim();
export const bare = (token: Token): string => token.text.toLowerCase().replace(/[^\p{L}\p{N}'$%]/gu, '');
export const has = (token: Token, name: string): boolean => token.tags.includes(name);

/** Words that open a subordinate clause. */
export const CLAUSE_MARK =
  /^(that|which|who|whom|whose|when|if|because|unless|while|whereas|although|where|whether|what|how|why)$/;
export const AUXILIARY =
  /^(is|are|was|were|will|would|may|might|can|could|should|must|shall|has|have|had|does|do|did)$/;
/** The simple past of verbs whose participle has another form: a verb, whatever class `compromise` gives it (`rose`); its infinitive. */
export const SIMPLE_PAST: ReadonlyMap<string, string> = new Map(
  'grew grow,rose rise,fell fall,took take,began begin,gave give,went go,wrote write,drew draw,chose choose,broke break,drove drive,threw throw,wore wear,knew know,spoke speak,became become,ran run'
    .split(',')
    .map((pair) => pair.split(' ') as [string, string]),
);

/** Verbs that `compromise` often takes for a plural noun. */
export const MOSTLY_VERBS =
  /^(bears|offers|holds|owns|carries|serves|covers|sells|buys|pays|leases|keeps|takes|makes|gives|runs|meets|lends|earns)$/;
