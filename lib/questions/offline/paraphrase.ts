// A question goes in; out comes the same question in a reader's words: some words of the text are swapped for
// everyday ones, so that a model trained on it has to learn meaning and can't win by matching words alone.
// The lists are short on purpose: pairs that mean the same in nearly every report, and keep the grammar as it is.

// Nouns with regular plurals.
const NOUNS = `acquisition takeover, agreement contract, aim goal, approval consent, attorney lawyer, borrowing debt,
breach violation, client customer, commencement start, competitor rival, contract agreement, customer client,
dividend payout, duration length, employee worker, expenditure outlay, expense cost, expiration end, facility site,
landlord owner, legislation law, lender creditor, litigation lawsuit, manufacturer maker, methodology method, objective goal,
obligation duty, opportunity chance, outage breakdown, passenger traveller, penalty fine, portion part, provider supplier, purchaser buyer,
reduction cut, requirement condition, shareholder investor, shortage lack, stockholder shareholder, supplier vendor,
tenant renter, termination end, utilization use, vessel ship`;
// Verbs that are hardly ever nouns: base form, past form.
const VERBS = `acquire acquired buy bought, amend amended change changed, anticipate anticipated expect expected, assess assessed evaluate evaluated,
assist assisted help helped, attempt attempted try tried, commence commenced start started, construct constructed build built,
determine determined decide decided, disclose disclosed reveal revealed, enhance enhanced improve improved, evaluate evaluated assess assessed,
generate generated produce produced, impair impaired weaken weakened, implement implemented introduce introduced,
maintain maintained keep kept, modify modified change changed, notify notified inform informed, obtain obtained get got,
prohibit prohibited ban banned, provide provided offer offered, recruit recruited hire hired, reduce reduced cut cut,
repay repaid return returned, replace replaced renew renewed, require required need required, resolve resolved settle settled,
restrict restricted limit limited, retain retained keep kept, sustain sustained keep kept, terminate terminated end ended, utilize utilized use used`;
// Everything that doesn't change its form.
const PHRASES = `adversely affect>harm, adversely affected>harmed, additional>further, adequate>sufficient, annual>yearly, annually>every year,
approximately>about, at least>no less than, comply with>follow, complied with>followed, complex>complicated, currently>at present, declining>falling,
depend on>rely on, depends on>relies on, domestic>home, entire>whole, failure to>inability to, frequently>often, generally>usually,
immediately>at once, in accordance with>in line with, in connection with>in relation to, in excess of>above, inadequate>poor, numerous>many,
periodically>from time to time, personnel>staff, primarily>mainly, primary>main, principal>main, regulations>rules, prior to>before, prior year>year before,
promptly>quickly, pursuant to>under, rapid>fast, rapidly>quickly, rely on>depend on, relies on>depends on, remuneration>pay, result in>lead to,
results in>leads to, revenue>turnover, revenues>sales, significant>major, significantly>considerably, subsequent to>after,
substantial>large, substantially>largely, sufficient>enough, various>different, workforce>staff`;

const AFTER_AUXILIARY = String.raw`(?<=\b(?:is|are|was|were|be|been|has|have|had|being)(?: not| \w+ly)? )`;

interface Swap {
  from: RegExp;
  to: string;
}

const listed = (list: string): string[] => list.split(/,\s*/);
const swap = (from: string, to: string, before = ''): Swap => ({
  from: new RegExp(`${before}\\b${from}\\b(?![-',])`, 'g'),
  to,
});

const SWAPS: Swap[] = [
  ...listed(PHRASES)
    .map((pair) => pair.split('>'))
    .map(([from, to]) => swap(from, to)),
  ...listed(NOUNS)
    .map((pair) => pair.split(' '))
    .flatMap(([from, to]) => [swap(from, to), swap(plural(from), plural(to))]),
  ...listed(VERBS)
    .map((forms) => forms.split(' '))
    .flatMap(([from, fromPast, to, toPast]) => [
      swap(from, to),
      swap(plural(from), plural(to)),
      // Elsewhere the past form may be part of a term (`restricted cash`).
      swap(fromPast, toPast, AFTER_AUXILIARY),
    ]),
];

// A noun's plural, and by the same spelling a verb's third person.
function plural(word: string): string {
  if (/[^aeiou]y$/.test(word)) return word.replace(/y$/, 'ies');
  return /(s|x|ch|sh|o)$/.test(word) ? `${word}es` : `${word}s`;
}

/** Swaps each listed word with probability `share`, once at most; `random` gives numbers in [0, 1). */
export function paraphrase(text: string, share: number, random: () => number): string {
  const swapped = new Set<string>();
  const result = SWAPS.reduce(
    (now, { from, to }) =>
      now.replace(from, (word) => {
        if (swapped.has(word) || random() >= share) return word;
        swapped.add(to);
        return to;
      }),
    text,
  );
  return result === text
    ? text
    : result.replace(
        /\b(an?) (\p{Ll}+)/gu,
        (_, article: string, next: string) => `${articleFor(next, article)} ${next}`,
      );
}

function articleFor(word: string, given: string): string {
  if (/^(hour|honest|honou?r|heir|uni|use|usu|eu|one|once)/.test(word)) return given;
  return /^[aeiou]/.test(word) ? 'an' : 'a';
}
