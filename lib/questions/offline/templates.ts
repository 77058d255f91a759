// A main clause goes in; out come the questions it answers, as a reader would ask them, the answer left out:
// `S V because …` → `Why … S V?`, `S increased by 8%` → `By how much did S increase?`, `X means …` → `What does X mean?`.
import type { Clause } from './clauses';
import { AMOUNT, amountQuestion, countQuestion, shareQuestion, withoutAmount } from './quantities';
import { tag } from './tokens';

/** What a question asks for; selection weighs and mixes by it. */
export type QuestionKind =
  | 'why'
  | 'how'
  | 'when'
  | 'amount'
  | 'definition'
  | 'which'
  | 'phrase'
  | 'heading'
  | 'table'
  | 'whether'
  | 'statement';

export interface Draft {
  text: string;
  kind: QuestionKind;
}

const REASON =
  /,? (?:(?:primarily|mainly|partially|largely|principally|in part|partly|mostly) )?(?:because of|because|due to|as a result of|as a result|driven by|attributable to|owing to|related to the fact)\b/;
const CONDITION = /,? (?:only )?(?:if|when|upon|provided that|in the event that|in the event of|once|whenever)\b/;
const MEANS = /,? (?:by|through|using) (?=\w+ing\b|the use\b|a combination\b)/;
const PURPOSE = /,? (?:in order to|so that|so as to|for the purpose of|designed to|intended to)\b/;
const DATE =
  /,? (on|in|since|until|by) (?:(?:\d{1,2} )?(?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{1,2})?(?:, \d{4}| \d{4})?|\d{4})(?=[ ,.]|$)/;
const LIST =
  /^(?:also )?([\p{L}]+(?: (?:in|on|for|with|from))?) ((?:(?!and\b|or\b|the\b|to\b|of\b|an?\b)[\p{L}'-]+ ){0,3}[\p{L}-]+s),? (?:including|such as)\b/u;
const DANGLING =
  /[\s,;:]+(a|an|the|and|or|but|of|to|in|on|for|by|with|from|at|as|that|which|such|any|our|its|their|his|other|is|are|was|were|be|been|primarily|mainly|partially|largely|also|not|may|due|including|than|over|under|into|between|per|each|if|when|partly|both|either|more|certain|could|would|can|will|has|have|had|within|without|about|based|paid|seeking|presented|resulting|related|attributable|according|restricting|creating|regarding|following|we|it|they|who|except|save|less|compared|most|below|given|fixed|owned|described|some|there|nearly|about|only|until|unless|through|upon|during|all|both|none|no)$/i;
const OFTEN =
  /,? (?:(?:every|each) (?:(?:\w+ )?(?:days?|weeks?|months?|quarters?|years?)|January|April|July|October|December)|annually|monthly|quarterly|(?:once|twice|\w+ times) (?:a|each|every) (?:day|week|month|quarter|year))\b(?! of| that| to| since)/;
const WHEN: Record<string, string> = { since: 'Since when', until: 'Until when', by: 'By when' };
const FIGURE = /^\w+ (?:about |some |only |nearly |almost |up to |at least |more than |between )*\d/;
const PLACE = /^(?:not )?(?:\d|in|on|at|of|for|to|by|with|from|under)\b/;
// Verbs that tell how things are, not what somebody does: nobody asks in what way one has or owes something.
const STATE =
  /^(?:also |still |only |now |each )?(?:have|be|hold|own|owe|need|want|require|include|contain|comprise|consist|belong|exist|remain|stay|lie|seem|appear|matter|account|make up|differ|count|cost|weigh|last|exceed|equal|represent|hope|intend|plan|expect|believe|know|enjoy|lack|want|face|mean|give|agree|carry|bear|rest|relate|apply|seek|earn|trade)\b/;
const MAX_PREDICATE_WORDS = 18;

/** The questions that one clause answers, the most telling first. */
export function questionsFromClause(clause: Clause): Draft[] {
  const drafts: Draft[] = [];
  const { subject, auxiliary, modal, copula } = clause;
  let answered = false;
  const predicate = clause.predicate.replace(/\s*\([^)]*\)/g, '').trim();
  const lead =
    /^(if|when|upon|unless|once|while|although|despite)\b/i.test(clause.lead) || wordCount(clause.lead) <= 8
      ? clause.lead
      : '';
  const ask = (kind: QuestionKind, opening: string, part: string, withLead = true): void => {
    const body = tidy(part);
    const close = withLead && lead && wordCount(body) + wordCount(lead) <= 24 ? ` ${lead}` : '';
    if (body === '' && !copula) return;
    const text = `${opening} ${auxiliary} ${subject} ${body}${close}`.replace(/\s+/g, ' ').trim();
    if (!balanced(text)) return;
    drafts.push({ kind, text: `${text}?` });
    answered = true;
  };

  const means = /^(?:means?|refers? to|denotes?)\b/.exec(predicate);
  if (means && auxiliary.startsWith('do')) {
    drafts.push({
      kind: 'definition',
      text: `What ${auxiliary} ${subject} ${means[0].startsWith('refer') ? 'refer to' : 'mean'}?`,
    });
    return drafts;
  }
  const cut = (cue: RegExp): string | undefined => {
    const found = cue.exec(` ${predicate}`);
    return found ? ` ${predicate}`.slice(0, found.index).trim() : undefined;
  };
  const reason = cut(REASON);
  if (reason !== undefined) {
    const fact = tidy(withoutAmount(` ${reason}`));
    if (fact === '') drafts.push({ kind: 'why', text: `What explains ${subject}?` });
    else ask('why', 'Why', fact);
  }
  const amount = AMOUNT.exec(predicate);
  for (const quantity of [
    amountQuestion(clause, predicate),
    countQuestion(clause, predicate),
    shareQuestion(clause, predicate),
  ])
    if (quantity && balanced(quantity)) {
      drafts.push({ kind: 'amount', text: quantity });
      answered = true;
    }
  const purpose = cut(PURPOSE);
  if (purpose) ask('why', 'For what purpose', purpose);
  const means2 = cut(MEANS);
  if (means2 && wordCount(means2) >= 2) ask('how', 'How', means2);
  const condition = cut(CONDITION);
  if (condition && wordCount(condition) >= (copula ? 1 : 2))
    ask('when', modal ? 'Under what circumstances' : 'When', condition, false);
  const date = DATE.exec(` ${predicate}`);
  if (date && !answered && date.index > 0 && /^(did|is|are|was|were|will|has|have)$/.test(auxiliary)) {
    const before = ` ${predicate}`.slice(0, date.index);
    const after = ` ${predicate}`.slice(date.index + date[0].length);
    const isMain = !/\b(that|which|who|when|if|because|since|until|before|after|as|than|while|where)\b/.test(before);
    const opening = WHEN[date[1]] ?? 'When';
    if (isMain)
      ask('when', opening, /^,|^ (and|or|on|in|at|by|until|to)\b/.test(after) ? before : before + after, false);
  }
  if (!answered && auxiliary === 'did' && DATE.exec(` ${clause.lead}`)?.index === 0)
    ask('when', 'When', predicate, false);
  const often = OFTEN.exec(predicate);
  if (often && often.index > 0 && !answered && !copula && !/\b(that|which|as|who)\b/.test(predicate))
    ask('when', 'How often', predicate.slice(0, often.index), false);
  const list = LIST.exec(predicate);
  if (list && !copula) drafts.push({ kind: 'which', text: `Which ${list[2]} ${auxiliary} ${subject} ${list[1]}?` });
  const parts = /^(include|consist|comprise)(?: (?:primarily|mainly|principally|largely))?( of)?\b/.exec(predicate);
  if (parts) {
    drafts.push({ kind: 'which', text: `What ${auxiliary} ${subject} ${parts[1]}${parts[2] ?? ''}?` });
  } else if (answered) {
    return drafts;
  } else if (copula) {
    if (isNominal(predicate) && wordCount(subject) <= 6 && /^(is|are)$/.test(auxiliary))
      drafts.push({ kind: 'definition', text: `What ${auxiliary} ${subject}?` });
    else if (!amount) ask(PLACE.test(predicate) ? 'whether' : 'why', PLACE.test(predicate) ? '' : 'Why', predicate);
  } else if (auxiliary === 'shall') ask('when', 'Under what terms', predicate);
  else if (/^(?:not|never)\b/.test(predicate) || (modal && /^be (?:\w+ly )?(?:un)?able\b/.test(predicate)))
    ask('why', 'Why', predicate);
  else if (/^(?:has|have|had)$/.test(auxiliary) || STATE.test(predicate) || amount || FIGURE.test(predicate))
    ask('whether', '', predicate);
  else ask('how', modal && !/^(may|might|could|would|can)$/.test(auxiliary) ? 'Why' : 'How', predicate);
  return drafts;
}

// Cuts a predicate to what a question can carry, at a clean place.
function tidy(part: string): string {
  let text = part.replace(/^\s*,/, '').trim();
  const stop = text.search(
    /,? which\b|, (?:including|and|or|but|so|since|as|who|whose|where|compared|against|led|less|rather|nearly|as well|such as|particularly|subject|with|we|the)\b|[;:—–]| - |, \w+ing\b/,
  );
  if (stop > 0 && wordCount(text.slice(0, stop)) >= 3) text = text.slice(0, stop);
  const words = text.split(' ');
  if (words.length > MAX_PREDICATE_WORDS) {
    let at = MAX_PREDICATE_WORDS;
    while (
      at > 6 &&
      !/^(and|or|in|for|to|with|from|by|on|as|that|at|including|under|through|if|when|because|due)$/.test(words[at])
    )
      at--;
    text = words.slice(0, at).join(' ');
  }
  for (let shorter = ''; shorter !== text; ) {
    shorter = text;
    text = text.replace(/[\s,.;:]+$/, '').replace(DANGLING, '');
  }
  return DANGLING.test(` ${text}`) ? '' : text;
}

// Whether a predicate after `be` names a thing (`net cash from …`) rather than a quality (`immaterial`).
function isNominal(predicate: string): boolean {
  if (/^(an?|the) /.test(predicate)) return true;
  for (const token of tag(predicate).slice(0, 4)) {
    if (/^(in|on|at|of|for|to|by|not|subject|able|unable|likely|equal)$/.test(token.text.trim())) return false;
    if (token.tags.includes('Noun') && !token.tags.includes('Pronoun')) return true;
    if (!token.tags.includes('Adjective') && !token.tags.includes('Gerund')) return false;
  }
  return false;
}

const wordCount = (text: string): number => text.split(/\s+/).filter(Boolean).length;

function balanced(text: string): boolean {
  return (
    (text.match(/"/g) ?? []).length % 2 === 0 && (text.match(/\(/g) ?? []).length === (text.match(/\)/g) ?? []).length
  );
}
