// A subject and its auxiliary go in; out comes whether they agree in number. Where they don't, the sentence was misread.
import { bare, has, type Token } from './tokens';

const PREPOSITION =
  /^(of|in|on|at|for|from|to|with|by|under|about|between|as|against|over|through|within|per|after|before|during|above|below|than)$/;
// Singular in form, plural in use (`fourteen aircraft are`), or either (`half of the crews are`).
const EITHER =
  /(people|staff|crew|men|women|children|data|media|personnel|percent|cent|half|majority|minority|most|rest|number|series|species|aircraft|craft|police|fish|livestock|\d|%)$/;

/** Whether a subject can stand with `is`/`does` or `are`/`do`; other auxiliaries go with both. */
export function agrees(subject: Token[], auxiliary: string): boolean {
  const singular = /^(is|was|does|has)$/.test(auxiliary);
  const plural = /^(are|were|do|have)$/.test(auxiliary);
  if (!singular && !plural) return true;
  const end = subject.findIndex((token, at) => at > 0 && PREPOSITION.test(bare(token)));
  const phrase = end < 0 ? subject : subject.slice(0, end);
  const head = phrase[phrase.length - 1];
  const word = bare(head);
  const isList = subject.some((token) => /^(and|or|we|they|i|you)$/.test(bare(token)));
  // Names end as they like (`Fleet Finance`, `Voltarne Cells`).
  if (isList || EITHER.test(word) || /^["(]?\p{Lu}/u.test(head.text.trim())) return true;
  const looksPlural = has(head, 'Plural') || (/s$/.test(word) && !/(ss|us|is|'s|ics)$/.test(word));
  return looksPlural === plural;
}
