// In: a constant in a notebook's first cell. Out: its value, or that of the environment variable of its name, checked.

/** What a setting may be. */
interface Rules {
  /** What it does, in a few words; shown when its value is refused. */
  help?: string;
  min?: number;
  max?: number;
  integer?: boolean;
  oneOf?: readonly string[];
  /** Whether a list may have no entry; whether a text may be empty, and is taken with its spaces. */
  optional?: boolean;
}

/**
 * A notebook setting: the value in the cell, unless an environment variable called `name` is set, and not empty where
 * that is no value.
 * Numbers and lists (separated by commas) are read from text.
 *
 *     const CHUNK_SIZE = setting('CHUNK_SIZE', 1024, { min: 64, max: 8192, integer: true, help: 'tokens a chunk' });
 *
 * @throws RangeError one sentence with the setting's name, the refused value, where it came from and what is allowed
 */
export function setting(name: string, value: number, rules?: Rules): number;
export function setting(name: string, value: readonly string[], rules?: Rules): string[];
export function setting<T extends string>(name: string, value: T, rules: Rules & { oneOf: readonly T[] }): T;
export function setting(name: string, value: string, rules?: Rules): string;
export function setting(
  name: string,
  value: number | string | readonly string[],
  rules: Rules = {},
): number | string | readonly string[] {
  const isFree = typeof value === 'string' && rules.optional;
  const given = isFree ? process.env[name] : process.env[name]?.trim() || undefined;
  const chosen = given === undefined ? value : parse(given, value);
  const allowed = refusal(chosen, rules);
  if (allowed) {
    const source = given !== undefined ? ' (from the environment)' : '';
    const help = rules.help ? ` (${rules.help})` : '';
    throw new RangeError(`${name} is ${JSON.stringify(given ?? value)}${source}, but must be ${allowed}${help}.`);
  }
  return chosen;
}

/** The environment's text as a value of the same type as the one in the cell. */
function parse(given: string, like: unknown): number | string | string[] {
  if (typeof like === 'number') return Number(given);
  return Array.isArray(like) ? given.split(',').flatMap((item) => item.trim() || []) : given;
}

/** What would have been allowed, if `value` is not. */
function refusal(value: number | string | readonly string[], rules: Rules): string | undefined {
  if (typeof value === 'number') {
    const { min = -Infinity, max = Infinity, integer } = rules;
    const fits = Number.isFinite(value) && value >= min && value <= max && (!integer || Number.isInteger(value));
    return fits ? undefined : `a ${integer ? 'whole ' : ''}number${range(rules)}`;
  }
  if (rules.optional) return undefined;
  if (typeof value !== 'string') return value.length ? undefined : 'a list with at least one entry';
  if (rules.oneOf) return rules.oneOf.includes(value) ? undefined : `one of ${rules.oneOf.join(', ')}`;
  return value.trim() ? undefined : 'a text that is not empty';
}

function range({ min, max }: Rules): string {
  if (max === undefined) return min === undefined ? '' : ` of ${min} or more`;
  return min === undefined ? ` of ${max} or less` : ` from ${min} to ${max}`;
}
