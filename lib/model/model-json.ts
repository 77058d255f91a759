// In: a JSON file of a model folder. Out: its values, each checked where it is asked for; errors name file and place.
import fs from 'node:fs';
import path from 'node:path';
import { readJson } from '../common/files';

const ADVICE = 'Mend it, or download or copy the model again.';

/** A model folder's JSON file. A value's place is its keys, with dots between: `windows.size`. */
export class ModelJson {
  readonly file: string;
  readonly content: Record<string, unknown> = {};

  /** @throws Error if it is missing (unless it may be: it is empty then), no JSON, or neither object nor list */
  constructor(folder: string, name: string, mayBeMissing = false) {
    this.file = path.join(folder, name);
    if (mayBeMissing && !fs.existsSync(this.file)) return;
    this.content = readJson(this.file, ADVICE) as Record<string, unknown>;
    if (!(this.content instanceof Object)) throw this.error('is neither an object nor a list');
  }

  /** What is wrong, with the file's name and what to do. */
  error(what: string, advice = ADVICE): Error {
    return new Error(`${this.file}: ${what}. ${advice}`);
  }

  /** The value at a place, if there is one. */
  at(place: string): unknown {
    const inside = (value: unknown, key: string) => (value as Record<string, unknown> | undefined | null)?.[key];
    return place.split('.').reduce(inside, this.content);
  }

  /** The value at a place. Throws an Error if it is not right. */
  expect<T>(place: string, isRight: (value: T) => boolean, what: string): T {
    const value = this.at(place) as T;
    if (isRight(value)) return value;
    throw this.error(`${place} is ${JSON.stringify(value)?.slice(0, 100)}, not ${what}`);
  }

  number(place: string, least: number, most: number, isWhole = true): number {
    const isNumber = isWhole ? Number.isInteger : Number.isFinite;
    const inRange = (value: number) => isNumber(value) && value >= least && value <= most;
    return this.expect(place, inRange, `a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`);
  }
}
