// In: a sentence. Out: its words with their classes, from `compromise`.

/** The package, loaded when a question is asked offline: its words take memory that training has better use for. */
export const compromise = () => require('compromise/three') as typeof import('compromise/three');

/** One word, with what stands around it up to the next, and compromise's tags. */
export interface Token {
  text: string;
  tags: string[];
}

/** A sentence's words with their tags; their texts joined are the sentence again. */
export function tag(sentence: string): Token[] {
  const parts = compromise()(sentence).json({ terms: { text: true, tags: true, whitespace: true } }) as unknown as {
    terms: { text: string; pre: string; post: string; tags: string[] }[];
  }[];
  return parts
    .flatMap(({ terms }) => terms)
    .map(({ pre, text, post, tags }) => ({ text: `${pre}${text}${post}`, tags }))
    .filter(({ text }) => text.trim() !== '');
}

export const join = (tokens: Token[]): string => tokens.reduce((all, { text }) => all + text, '').trim();
export const bare = (token: Token): string => token.text.toLowerCase().replace(/[^\p{L}\p{N}'$%]/gu, '');
export const has = (token: Token, ...names: string[]): boolean => names.some((name) => token.tags.includes(name));

/** The words of a list as alternatives of a pattern; `_` stands for a blank in one. */
export const oneOf = (list: string): string => `(?:${list.trim().split(/\s+/).join('|').replaceAll('_', ' ')})`;

/** Words that open a subordinate clause. */
export const CLAUSE_MARK =
  /^(that|which|who|whom|whose|when|if|because|unless|while|whereas|though|although|where|whether|what|how|why|as|than|until|before|after|once|since|however|whatever|whenever|wherever|provided|but|ago|save)$/;
export const AUXILIARY =
  /^(is|are|was|were|will|would|may|might|can|could|should|must|shall|has|have|had|does|do|did)$/;
/** Past forms that are no participle, so verbs whatever class `compromise` gives them, and their infinitives. */
export const SIMPLE_PAST: ReadonlyMap<string, string> = new Map(
  'grew grow,rose rise,fell fall,took take,began begin,gave give,went go,wrote write,drew draw,chose choose,broke break,drove drive,threw throw,wore wear,knew know,spoke speak,became become,ran run,saw see'
    .split(',')
    .map((pair) => pair.split(' ') as [string, string]),
);

/** The infinitive of a finite verb. */
export function infinitiveOf(verb: string): string {
  const view = compromise()(verb).tag('Verb') as unknown as { verbs(): { toInfinitive(): { text(): string } } };
  const infinitive = SIMPLE_PAST.get(verb) ?? view.verbs().toInfinitive().text();
  // Some come out cut (`owns` → `ow`).
  const forms = [`${infinitive}s`, `${infinitive}es`, infinitive.replace(/y$/, 'ies')];
  return !/s$/.test(verb) || forms.includes(verb) ? infinitive : verb.slice(0, -1);
}
