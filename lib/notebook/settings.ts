// In: a constant in a notebook's first cell. Out: its value, or that of the environment variable of its name, checked.

/** What a setting may be. */
interface Rules {
  /** What it does, in a few words; shown when its value is refused. */
  help?: string;
  min?: number;
  max?: number;
  integer?: boolean;
  oneOf?: readonly string[];
  /** Whether a list may have no entry. */
  optional?: boolean;
}

/**
 * A notebook setting: the value in the cell, unless an environment variable called `name` is set and not empty.
 * Numbers, booleans (`true`/`false`, `1`/`0`, `yes`/`no`) and lists (separated by commas) are read from text.
 *
 *     const CHUNK_SIZE = setting('CHUNK_SIZE', 1024, { min: 64, max: 8192, integer: true, help: 'tokens a chunk' });
 *
 * @throws RangeError one sentence with the setting's name, the refused value, where it came from and what is allowed
 */
export function setting(name: string, value: number, rules?: Rules): number;
export function setting(name: string, value: boolean, rules?: Rules): boolean;
export function setting(name: string, value: readonly string[], rules?: Rules): string[];
export function setting<T extends string>(name: string, value: T, rules: Rules & { oneOf: readonly T[] }): T;
export function setting(name: string, value: string, rules?: Rules): string;
export function setting(
  name: string,
  value: number | boolean | string | readonly string[],
  rules: Rules = {},
): number | boolean | string | string[] {
  const given = process.env[name]?.trim();
  const chosen = given ? parse(given, value) : value;
  const allowed = refusal(chosen, value, rules);
  if (allowed) {
    const source = given ? ' (from the environment)' : '';
    const help = rules.help ? ` (${rules.help})` : '';
    throw new RangeError(`${name} is ${JSON.stringify(given || value)}${source}, but must be ${allowed}${help}.`);
  }
  return Array.isArray(chosen) ? [...chosen] : (chosen as number | boolean | string);
}

/** The environment's text as a value of the same type as the one in the cell; undefined where it is not one. */
function parse(given: string, like: unknown): unknown {
  if (typeof like === 'number') return Number(given);
  if (typeof like === 'boolean') {
    if (/^(true|1|yes)$/i.test(given)) return true;
    return /^(false|0|no)$/i.test(given) ? false : undefined;
  }
  if (!Array.isArray(like)) return given;
  return given.split(',').flatMap((item) => item.trim() || []);
}

/** What would have been allowed, if `value` is not. */
function refusal(value: unknown, like: unknown, rules: Rules): string | undefined {
  if (typeof like === 'boolean') return typeof value === 'boolean' ? undefined : 'true or false';
  if (typeof like === 'number') {
    const { min = -Infinity, max = Infinity, integer } = rules;
    const number = Number(value);
    const fits = Number.isFinite(number) && number >= min && number <= max && (!integer || Number.isInteger(number));
    return fits ? undefined : `a ${integer ? 'whole ' : ''}number${range(rules)}`;
  }
  if (Array.isArray(like))
    return rules.optional || (value as string[]).length > 0 ? undefined : 'a list with at least one entry';
  if (rules.oneOf) return rules.oneOf.includes(value as string) ? undefined : `one of ${rules.oneOf.join(', ')}`;
  return (value as string).trim() ? undefined : 'a text that is not empty';
}

function range({ min, max }: Rules): string {
  if (max === undefined) return min === undefined ? '' : ` of ${min} or more`;
  return min === undefined ? ` of ${max} or less` : ` from ${min} to ${max}`;
}
