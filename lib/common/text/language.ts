// In: a text, or a question and its chunk. Out: its language, or whether they are in different ones.
// Careful: only where the words between the names tell clearly; a detector by letters takes a table of names for a
// language.

/** Frequent words that are rare in the other languages here. */
const FUNCTION_WORDS: Record<string, string> = {
  English:
    'the of and to is are was were what which who how when where why does did has have for with by from that this',
  German:
    'der die das und ist nicht mit den dem ein eine für von zu wird wurde wie welche welcher welches wer wann warum wo',
  French:
    'le la les des du et est une un dans pour qui quel quelle quels quelles comment pourquoi quand où par avec sont au',
  Spanish: 'el la los las del y es en por con una un para qué que cuál cuáles cómo cuándo dónde quién son se su',
  Italian:
    'il lo la gli le di della dei delle che è per con una un nel nella quale quali come quando dove perché chi sono',
  Portuguese: 'o os da do das dos que em é para com uma um não na qual quais como quando onde quem por são',
  Dutch: 'de het een en van zijn op voor met dat niet te wat welke hoe wanneer waarom waar wie werd door bij',
  Scandinavian:
    'og och det att som på av är ett til till för ikke inte hva hvad vad hvilke hvilken vilken hur hvordan når',
  Polish: 'w na się z nie jest że co jakie jaki jaka kto kiedy gdzie dlaczego jak są przez',
};
const DICTIONARIES = Object.entries(FUNCTION_WORDS).map(([name, words]) => [name, new Set(words.split(' '))] as const);

/** Scripts that tell by themselves, and how many letters of theirs weigh as much as one function word. */
const SCRIPTS: [name: string, letter: RegExp, perWord: number][] = [
  ['Chinese or Japanese', /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/gu, 4],
  ['Korean', /\p{sc=Hangul}/gu, 6],
];
for (const name of ['Cyrillic', 'Greek', 'Arabic', 'Hebrew', 'Devanagari', 'Thai'])
  SCRIPTS.push([name, new RegExp(`\\p{sc=${name}}`, 'gu'), 12]);

/** For each language, how many words speak for it. */
function evidence(text: string): Map<string, number> {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return new Map([
    ...DICTIONARIES.map(([name, known]) => [name, words.filter((word) => known.has(word)).length] as const),
    ...SCRIPTS.map(([name, letter, perWord]) => [name, (text.match(letter)?.length ?? 0) / perWord] as const),
  ]);
}

/** The language that most speaks for, if that is `least` words or more and no other has as many. */
function clearest(found: Map<string, number>, least: number): string | undefined {
  const [[first, most], [, second]] = [...found].sort(([, a], [, b]) => b - a);
  return most >= least && most > second ? first : undefined;
}

/** A text's language; English where none is known here, as of a table of names and figures. */
export const languageOf = (text: string): string => clearest(evidence(text), 3) ?? 'English';

/** Whether a question is in another language than its chunk, both known here; in a chunk of two, both are right. */
export function isInAnotherLanguage(question: string, chunk: string): boolean {
  const [inQuestion, inChunk] = [evidence(question), evidence(chunk)];
  const [asked, written] = [clearest(inQuestion, 2), clearest(inChunk, 3)];
  if (!asked || !written || asked === written) return false;
  // Names are in any language ("Who owns La Casa de la Playa?"): a single word of the chunk's is enough.
  return inQuestion.get(written) === 0 && inChunk.get(asked)! <= inChunk.get(written)! / 4;
}
