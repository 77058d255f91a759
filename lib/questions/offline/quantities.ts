// A clause with a figure in it goes in; out come the questions the figure answers: `By how much …`, `How many …`,
// `What percentage of …`.
import type { Clause } from './clauses';

const UNIT_NUMBER = String.raw`(?:US)?(?:[$€£]|\b[A-Z]{3} ?) ?\d[\d,.]*(?: (?:thousand|million|billion))?`;
const ROUGHLY = `(?:approximately |about |some |around |nearly |almost |only |just |up to |at least |an aggregate of |a total of |more than |over )*`;
/** Money or a percentage. */
export const AMOUNT = new RegExp(`${ROUGHLY}(?:${UNIT_NUMBER}|\\d[\\d.,]* ?(?:%|per ?cent\\b)(?: points)?)`);
const NUMBER = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?: (?:million|billion))?|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty)`;
const PREPOSITION = 'in|on|at|for|from|to|with|by|under|over|of|per|between|against|across|through|as|than|during';
const COUNTED = new RegExp(
  `^(\\p{L}+) ${ROUGHLY}${NUMBER} ((?:(?!(?:${PREPOSITION}|and|or|that|which|who|more|years?|months?|days?)\\b)[\\p{L}'-]+ ){0,3}?(?:[\\p{Ll}-]+s|people|staff))(?= (?:${PREPOSITION}|a|an|each|every)\\b|,|$)`,
  'u',
);
const SHARE = /^ of ((?:[\p{L}'-]+ ){0,4}?[\p{L}'-]+)(?= (?:in|on|at|for|from|to|with|by|under|as)\b|,|$)/u;

/** `rose by 8%` → `By how much did … rise?`, `cost FLR 3 million` → `How much did … cost?` */
export function amountQuestion(clause: Clause, predicate: string): string | undefined {
  const amount = AMOUNT.exec(predicate);
  if (!amount) return undefined;
  const before = predicate.slice(0, amount.index).trim();
  const after = predicate
    .slice(amount.index + amount[0].length)
    .replace(/^(,? (or|and|to|from) [^,]*\d[\d.,]*( ?%| per ?cent| (million|billion|thousand))?)+/, '');
  const start = `${clause.auxiliary} ${clause.subject}`;
  if (/^\w+(?: \w+)? by$/.test(before))
    return asked('By how much', start, before.replace(/ by$/, ''), plainTail(after));
  const isShare = /%|cent/.test(amount[0]) && !/points/.test(amount[0]);
  const share = isShare ? SHARE.exec(after) : null;
  if (share && /^\w+$/.test(before))
    return asked(`What percentage of ${share[1]}`, start, before, plainTail(after.slice(share[0].length)));
  if (isShare) return undefined;
  const part = SHARE.exec(after);
  if (part && /^\w+$/.test(before))
    return asked(`How much of ${part[1]}`, start, before, plainTail(after.slice(part[0].length)));
  if (clause.copula && before === '') return asked('How much', start, '', plainTail(after));
  if (/^\w+$/.test(before) && !/^(?:be|up|have)$/.test(before))
    return asked('How much', start, before, plainTail(after));
  return undefined;
}

/** `employed 263 engineers` → `How many engineers did … employ?`; `were 68,200 tonnes …` → `What were …?` */
export function countQuestion(clause: Clause, predicate: string): string | undefined {
  const start = `${clause.auxiliary} ${clause.subject}`;
  if (clause.copula) {
    const isNumber = new RegExp(`^${ROUGHLY}${NUMBER} \\p{L}+s\\b(?! old| away)`, 'u').test(predicate);
    return isNumber && /^(the|our|direct|total|average|net)\b/i.test(clause.subject)
      ? asked('What', start, '', '')
      : undefined;
  }
  const counted = COUNTED.exec(predicate);
  if (!counted || /ed$|^(?:be|by|in|to)$/.test(counted[1])) return undefined;
  const tail = plainTail(predicate.slice(counted[0].length));
  return asked(`How many ${counted[2]}`, start, counted[1], tail);
}

/** `About 71 per cent of workers are covered …` → `What percentage of workers are covered …?` */
export function shareQuestion({ subject, auxiliary }: Clause, predicate: string): string | undefined {
  const share = new RegExp(`^${ROUGHLY}\\d[\\d.]* ?(?:%|per ?cent) of (.+)$`, 'i').exec(subject);
  if (!share || /^(?:do|does|did)$/.test(auxiliary)) return undefined;
  const rest = predicate.split(/, | because | since |;/)[0];
  return rest.split(' ').length <= 16 ? asked(`What percentage of ${share[1]}`, auxiliary, rest, '') : undefined;
}

function asked(opening: string, start: string, verb: string, tail: string): string {
  return `${`${opening} ${start} ${verb}${tail}`.replace(/\s+/g, ' ').trim()}?`;
}

// What follows the amount is kept as far as it is plain: up to the first comma that isn't a date's.
function plainTail(after: string): string {
  const tail =
    /^ (?:in|for|of|from|at|under|as of|on|per|with|against|across|to|by|each|every|a|related to|compared to)\b[^;]*?(?=,(?! \d{4}\b)| (?:and|or) (?:\w+s|the|an?|its)\b|$)/.exec(
      after,
    )?.[0] ?? '';
  const isPlain = tail.split(' ').length <= 14 && !new RegExp(AMOUNT.source).test(tail);
  return isPlain ? tail.replace(/ (?:and|or|of|the|an?|in|to|for|by|with|at|from)$/, '') : '';
}

/** A predicate without its amounts, for questions about something else. */
export function withoutAmount(text: string): string {
  return text.replace(new RegExp(`,? (?:by )?${AMOUNT.source}(?:,? or ${AMOUNT.source})?,?`, 'g'), '');
}
