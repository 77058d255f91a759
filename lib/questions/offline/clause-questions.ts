// In: a main clause. Out: the questions it answers, as a reader would ask them, the answer left out: `S V because …` →
// `Why … S V?`, `S rose by 8%` → `By how much did S rise?`; where it answers nothing else, `Did S V …?`.
import { type Clause, leansOnOthers, withoutConnective } from './clause';
import { bare, has, oneOf, tag } from './tokens';

/** What a question asks for; a `claim` asks whether a sentence is true. */
export type QuestionKind = 'why' | 'when' | 'amount' | 'definition' | 'what' | 'whether' | 'claim';

export interface Draft {
  text: string;
  kind: QuestionKind;
}

const REASON =
  /,? (?:(?:primarily|mainly|partially|largely|principally|in part|partly|mostly) )?(?:because of|because|due to|as a result of|driven by|attributable to|owing to)\b/;
const CONDITION =
  /(?<!based|depends?|rely|relies|part|ly),? (?:only )?(?:if|when|upon|provided that|in the event that|in the event of|once)\b/;
const MONTH = '(?:January|February|March|April|May|June|July|August|September|October|November|December)';
const DATE = new RegExp(
  `,? (on|in|since|until|by) (?:(?:\\d{1,2} )?${MONTH}(?: \\d{1,2})?(?:, \\d{4}| \\d{4})?|\\d{4})(?=[ ,.]|$)`,
);
const ROUGHLY =
  '(?:approximately |about |some |around |nearly |almost |only |just |up to |at least |more than |over )*';
const MONEY = String.raw`(?:(?:US)?[$€£]|\b[A-Z]{3} )\d[\d,.]*(?: (?:thousand|million|billion))?`;
const AMOUNT = new RegExp(`${ROUGHLY}(?:${MONEY}|\\d[\\d.,]* ?(?:%|per ?cent\\b)(?: points)?)`);
const AMOUNTS = new RegExp(`,? (?:by |of )?${AMOUNT.source}(?:,? or ${AMOUNT.source})?,?`, 'g');
const PAYS = /^(cost|contribute|spend|pay|invest|raise|receive|earn|save|lose|owe)$/;
const NUMBER = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+(?: (?:million|billion))?|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty)`;
const COUNTED = new RegExp(
  `^(\\p{L}+) ${ROUGHLY}${NUMBER} ((?:(?!and|or|of|in\\b)[\\p{L}-]+ ){0,2}?[\\p{L}-]+s|people|staff)(?= (?:in|on|at|for|under|by|across|during|with)\\b|,|$)`,
  'u',
);
const NO_COUNT = /\b(per|more|years?|months?|weeks?|days?|hours?|minutes?|points?|times|metres|shares)\b/;
// A predicate can't end so: what completed it was cut away.
const DANGLING = new RegExp(
  `([\\s,;:]+${oneOf(`a an the and or but of to in on for by with from at as that which such any our its their his
    other is are was were be been primarily mainly partially largely also not may due chiefly including than over
    under into between per each if when partly both either more certain could would can will has have had within
    without about based resulting related attributable according regarding following we it they who except less most
    below some there nearly only until unless through upon during all none no depending especially even order up seek
    adjusted pursuant so particularly whether them`)}\\b)*[\\s,.;:]*$`,
  'i',
);
const MAX_WORDS = 20;
const ASIDE =
  /^((?!although|while|when|if|as|because|since|though)[^,]{40,}), (?:which|whose|including|such as|particularly|especially|although|because|since) .*$/;
const MAX_CLAIM_WORDS = 30;

/** The questions that one clause answers, the most telling first. */
export function questionsFromClause(clause: Clause): Draft[] {
  const { subject, copula } = clause;
  // `May we lose …?` asks for leave; `Could we lose …?` asks what may happen.
  const auxiliary = clause.auxiliary.replace(/^(may|might)$/, 'could').replace('shall', 'will');
  const predicate = clause.predicate.replace(/\s*\([^)]*\)|[:;—–].*$/g, '').trim();
  const drafts: Draft[] = [];
  const ask = (kind: QuestionKind, opening: string, part: string, withLead = true): void => {
    const body = tidy(part);
    const close = withLead && wordCount(body) + wordCount(clause.lead) <= 22 ? ` ${clause.lead}` : '';
    const text = `${opening} ${auxiliary} ${subject} ${body}${close}`.replace(/\s+/g, ' ').trim();
    if (body !== '' || opening.startsWith('How much')) drafts.push({ kind, text: `${text}?` });
  };
  const before = (cue: RegExp): string | undefined => {
    const found = cue.exec(` ${predicate}`);
    return found ? ` ${predicate}`.slice(0, found.index).trim() : undefined;
  };

  if (/^means?\b/.test(predicate) && /^["\p{L}]/u.test(subject))
    return [{ kind: 'definition', text: `What does ${subject} mean?` }];
  const parts = /^(include|consist|comprise)( \w+ly)?( of)?\b/.exec(predicate);
  if (parts) return [{ kind: 'what', text: `What ${auxiliary} ${subject} ${parts[1]}${parts[3] ?? ''}?` }];

  const reason = before(REASON);
  if (reason) ask('why', 'Why', reason.replace(AMOUNTS, ''));
  const condition = before(CONDITION);
  const isPast = /^(did|was|were|has|have|had)$/.test(auxiliary);
  if (condition && !isPast && isFact(condition, 2))
    ask('when', /^(could|can|would|must)$/.test(auxiliary) ? 'Under what circumstances' : 'When', condition, false);

  const amount = AMOUNT.exec(predicate);
  if (amount) {
    const verb = predicate.slice(0, amount.index).trim();
    const rest = predicate.slice(amount.index + amount[0].length);
    const tail = /^ (in|for|at|during|on) [^,;$\d]*(\d{4})?$/.test(rest) && wordCount(rest) <= 10 ? rest : '';
    if (/^\w+ by$/.test(verb) && !copula) ask('amount', 'By how much', verb.replace(/ by$/, tail), false);
    else if (/[$€£]|[A-Z]{3}/.test(amount[0]) && (verb === '' ? copula : PAYS.test(verb)))
      ask('amount', 'How much', `${verb}${tail}`, false);
  }
  const counted = COUNTED.exec(predicate);
  if (counted && !copula && !/ed$|^(be|by|in|to|take|last)$/.test(counted[1]) && !NO_COUNT.test(counted[2]))
    ask('amount', `How many ${counted[2]}`, `${counted[1]}${predicate.slice(counted[0].length).split(',')[0]}`);
  const date = /^(did|is|was|were|will|has|have)$/.test(auxiliary) ? DATE.exec(` ${predicate}`) : null;
  if (date && date.index > 0 && !/\d/.test(predicate.slice(0, date.index))) {
    const opening = { since: 'Since when', until: 'Until when', by: 'By when' }[date[1]] ?? 'When';
    const fact = ` ${predicate}`.slice(0, date.index);
    if (isFact(fact, 1)) ask('when', opening, fact, false);
  } else if (auxiliary === 'did' && DATE.exec(` ${clause.lead}`)?.index === 0 && !/\d/.test(predicate))
    ask('when', 'When', predicate, false);
  if (drafts.length > 0) return drafts;

  if (/^(not|never)\b|^be (\w+ly )?unable\b/.test(predicate)) ask('why', 'Why', predicate);
  if (wordCount(tidy(predicate)) >= (copula ? 2 : 3)) ask('whether', '', predicate);
  return drafts;
}

/** A sentence that could not be turned round as a question for its truth, if it stands alone. */
export function claimOf(sentence: string, random: () => number): Draft[] {
  const asking = ['true', 'correct', 'the case'][Math.floor(3 * random())];
  // Nobody asks whether all of a long sentence is true.
  const claim = withoutConnective(sentence.replace(/[.;]+$/, '')).replace(ASIDE, '$1');
  const tokens = tag(claim);
  const hasVerb = tokens.some((token, at) => {
    const follows =
      at > 0 && !/^(to|of|for|in|that|which|who|and|or|most|some|many|few|all|both)$/.test(bare(tokens[at - 1]));
    return follows && /^(?!related|based)\p{Ll}/u.test(token.text) && has(token, 'PresentTense', 'PastTense', 'Modal');
  });
  // `We sell boats and have …`: the second verb would no longer agree once `we` is the company.
  const hasSecondVerb = tokens.some((token, at) => {
    const before = tokens[has(tokens[Math.max(0, at - 1)], 'Adverb') ? at - 2 : at - 1];
    const isPlain = has(token, 'Infinitive') || /^(have|are|were|do)$/.test(bare(token));
    return isPlain && before && /,|^(and|or|but) /.test(before.text);
  });
  const staysWhole = hasVerb && !(hasSecondVerb && /\bwe\b/i.test(claim)) && tokens.length <= MAX_CLAIM_WORDS;
  return staysWhole && !leansOnOthers(claim) ? [{ kind: 'claim', text: `Is it ${asking} that ${claim}?` }] : [];
}

// Cuts a predicate to what a question can carry, at a clean place.
function tidy(part: string): string {
  let text = part.replace(/^\s*,/, '').trim();
  const stop = text.search(
    /,? which\b|, (?:including|and|or|but|so|since|as|who|whose|where|compared|against|led|less|rather|nearly|such as|particularly|subject|with|we|the)\b|[;:—–]| - |, \w+ing\b/,
  );
  if (stop > 0) text = /,/.test(text.slice(0, stop).replace(/, \d{4}/, '')) ? '' : text.slice(0, stop);
  if (wordCount(text) > MAX_WORDS) return '';
  return ` ${text}`.replace(DANGLING, '').trim();
}

// Whether a predicate cut before a date or condition says something by itself, in one clause.
function isFact(predicate: string, leastWords: number): boolean {
  const mark = /^not\b|\b(no|that|which|who|when|if|because|since|until|before|after|as|than|while|where|(un)?able)\b/;
  return wordCount(predicate) >= leastWords && !mark.test(predicate);
}

const wordCount = (text: string): number => text.split(/\s+/).filter(Boolean).length;
