// In: a drafted question. Out: the same question as an outsider asks it: `we` and `our` become the company.
import { oneOf } from './tokens';

/** The name most often followed by a company's legal form (`Acme, Inc.` → `Acme`); empty where none stands out. */
export function companyName(texts: Iterable<string>): string {
  const counts = new Map<string, number>();
  const pattern =
    /\b(\p{Lu}[\p{L}\p{N}&-]+(?: \p{Lu}[\p{L}\p{N}&-]+){0,2}),? (?:Inc|Corp|Corporation|Ltd|Limited|LLC|plc|PLC|AG|SE|GmbH|N\.V|S\.A)\b/gu;
  for (const text of texts)
    for (const [, name] of text.matchAll(pattern))
      if (!/^(The|Our|This|And|Of)\b/.test(name) && name !== name.toUpperCase())
        counts.set(name, (counts.get(name) ?? 0) + 1);
  const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
  return first && first[1] >= 3 && first[1] >= 2 * (second?.[1] ?? 0) ? first[0] : '';
}

const SUBJECT = /\b(do|does|did|is|are|was|were|has|have|had|may|might|can|could|will|would|should|must|shall) we\b/i;
const SINGULAR: Record<string, string> = { do: 'does', are: 'is', have: 'has', were: 'was' };
const UNCHANGED = new RegExp(
  `^(?:(?!need|exceed|proceed|succeed)\\w+ed|${oneOf(`may might can cannot could will would should must shall did
    had is was has does made took sold grew paid held began became went came gave got kept left lost met saw set
    spent built bought chose knew found let led put rose won wrote undertook withdrew drew broke fell drove threw`)})$`,
);
const OTHER_SPEAKER =
  /\b(I|my|me|ours|ourselves|you|your|yours|he|she|his|her|him|mine|hereof|hereto|hereunder|thereof|thereto|herein|aforementioned)\b/;

/** `How do we price our rides?` → `How does the company price its rides?`; undefined where it is unclear who speaks. */
export function outsiderVoice(question: string, company: string): string | undefined {
  if (OTHER_SPEAKER.test(question) || /\bwe( and\b|,)/i.test(question)) return undefined;
  const name = company || 'the company';
  let named = /\bthe company\b/i.test(question);
  let isSaid = false;
  const subject = (): string => {
    const who = named ? 'it' : name;
    named = true;
    return who;
  };
  return (
    question
      .replace(/\b(the) Company\b/gi, '$1 company')
      // Contracts name their parties without an article.
      .replace(/(?<!\p{Lu}\p{Ll}+ |\bthe )\bCompany\b(?!,? \p{Lu})/gu, 'the company')
      .replace(SUBJECT, (_, verb: string) => {
        named = true;
        return `${SINGULAR[verb.toLowerCase()] ?? verb} ${name}`;
      })
      .replace(
        /\bwe ((?:also|not|(?!rely|apply|supply|comply|reply)\w+ly) )?([a-z]+)\b/gi,
        (_, adverb: string | undefined, verb: string) => `${subject()} ${adverb ?? ''}${thirdPerson(verb)}`,
      )
      .replace(/\b(our|us)\b/g, (form: string, _, at: number, all: string) => {
        // The company may be named only further on.
        named = isSaid || all.slice(0, at).includes(name);
        const who = subject();
        isSaid = true;
        if (form === 'us') return who;
        return who === 'it' ? 'its' : `${who}'s`;
      })
      .replace(/\bOur\b/g, `${name}'s`)
  );
}

function thirdPerson(verb: string): string {
  if (SINGULAR[verb]) return SINGULAR[verb];
  if (UNCHANGED.test(verb)) return verb;
  if (/[^aeiou]y$/.test(verb)) return verb.replace(/y$/, 'ies');
  return /(s|x|z|ch|sh|o)$/.test(verb) ? `${verb}es` : `${verb}s`;
}
