// Model folders with one damaged file, loaded in a process of their own: it says by name what it refuses, never crashes,
// hangs or eats memory, and takes without a word only what no check could tell. HOSTILE=2000 for the long mode.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { writeSearchSettings } from 'finetune-embedding';
import { writeJson } from 'finetune-embedding/dist/common/files.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../lib/common/random';
import { TINY } from '../fixtures/engine';
import { MUTATIONS, mutate } from './mutate';

const HANGS_AFTER_MS = 10_000;
const MOST_BYTES = 1e9;

interface Answer {
  error?: string;
  vectors?: string;
  search?: string;
  areNumbers?: boolean;
  peak: number;
  tensors: number;
}

/** A process that loads one folder after the other; when it dies or hangs, the next folder gets a new one. */
class Loader {
  private child?: ChildProcess;

  async load(folder: string): Promise<Answer | { died: string }> {
    if (!this.child) {
      this.child = fork(path.join(__dirname, 'load-child.mts'), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      await once(this.child, 'message');
    }
    const child = this.child;
    return new Promise((resolve) => {
      const end = (answer: Answer | { died: string }) => {
        clearTimeout(timer);
        child.removeAllListeners();
        if ('died' in answer) this.stop();
        resolve(answer);
      };
      const timer = setTimeout(() => end({ died: `hung for ${HANGS_AFTER_MS / 1000} s` }), HANGS_AFTER_MS);
      child.once('message', (answer) => end(answer as Answer));
      child.once('exit', (code, signal) => end({ died: `crashed: ${signal ?? code}` }));
      child.send(folder);
    });
  }

  stop(): void {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }
}

/** Takes away, changes or moves one value somewhere in a JSON file, which stays JSON: what a hostile hand would do. */
function damageValue(bytes: Buffer, seed: string, n: number) {
  const random = seededRandom(`value ${seed} ${n}`);
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)];
  const root = JSON.parse(bytes.toString());
  const holders = [root];
  for (const holder of holders) holders.push(...Object.values(holder).filter((value) => value instanceof Object));
  const [holder, other] = [pick(holders.filter((one) => Object.keys(one).length > 0)), pick(holders)];
  const key = pick(Object.keys(holder));
  const kind = pick(['take away', 'change', 'move', 'rename']);
  const value = holder[key];
  if (kind !== 'change') delete holder[key];
  if (kind === 'change') holder[key] = pick<unknown>([0, 1, -1, 7, 0.5, 1e9, null, true, false, '', '../x', [], {}]);
  if (kind === 'move') Object.assign(other, { [pick(Object.keys(other)) ?? 'x']: structuredClone(value) });
  if (kind === 'rename') holder[`${key}x`] = value;
  return { kind, bytes: Buffer.from(JSON.stringify(root)) };
}

/** Where two JSON values differ, as `a.b.0`. */
function differences(a: unknown, b: unknown, at: string[] = []): string[] {
  if (isDeepStrictEqual(a, b)) return [];
  const isPair = [a, b].every((value) => typeof value === 'object' && value !== null);
  if (!isPair || Array.isArray(a) !== Array.isArray(b)) return [at.join('.') || 'all'];
  const [one, other] = [a, b] as Record<string, unknown>[];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differences(one[key], other[key], [...at, key]));
}

const HEADER_AT = 8;
const headerEnd = (bytes: Buffer) => HEADER_AT + Number(bytes.readBigUInt64LE());

/** Damages the header alone, and puts its length right: what a hostile hand would make. */
function damageHeader(bytes: Buffer, n: number) {
  const damaged = mutate(bytes.subarray(HEADER_AT, headerEnd(bytes)), 'header', n);
  const length = Buffer.alloc(HEADER_AT);
  length.writeBigUInt64LE(BigInt(damaged.bytes.length));
  return { ...damaged, bytes: Buffer.concat([length, damaged.bytes, bytes.subarray(headerEnd(bytes))]) };
}

interface Format {
  name: string;
  file: string;
  damage(bytes: Buffer, n: number): { kind: string; bytes: Buffer };
  /** Why vectors may differ without an error, by what in the file was changed; else they must not. */
  untold: [RegExp, why: string][];
  /** What was changed; JSON paths by default. */
  changes?(original: Buffer, damaged: Buffer): string[];
}

const json = (file: string, untold: Format['untold']): Format => ({
  name: file,
  file,
  damage: (bytes, n) => (n % 2 ? damageValue(bytes, file, n) : mutate(bytes, file, n >> 1)),
  untold,
});

const changedWeights = (original: Buffer, damaged: Buffer): string[] => {
  const [a, b] = [original, damaged].map((bytes) => bytes.subarray(headerEnd(bytes)));
  return a.equals(b) ? ['header'] : ['weights'];
};

const FORMATS: Format[] = [
  {
    name: 'model.safetensors',
    file: 'model.safetensors',
    damage: (bytes, n) => mutate(bytes, 'safetensors', n),
    untold: [[/^weights$/, 'another weight of a usual size']],
    changes: changedWeights,
  },
  {
    name: 'model.safetensors, its header',
    file: 'model.safetensors',
    damage: damageHeader,
    untold: [],
    changes: changedWeights,
  },
  json('config.json', [[/^(num_attention_heads|layer_norm_eps)$/, 'another usual number']]),
  json('tokenizer.json', [
    [/^model\.(vocab|max_input_chars_per_word|continuing_subword_prefix)/, 'another vocabulary'],
    [/^normalizer\./, 'another normaliser'],
  ]),
  json('tokenizer_config.json', []),
  json('modules.json', [[/^2$/, 'no Normalize']]),
  json('1_Pooling/config.json', [[/^pooling_mode_(cls|mean)_token/, 'another pooling']]),
  json('sentence_bert_config.json', [[/^max_seq_length$/, 'another usual length']]),
  json('config_sentence_transformers.json', [
    [/^(prompts|default_prompt_name)\b/, 'another usual prompt, or one left out'],
  ]),
  json('search_settings.json', [[/./, 'another usual setting, or one left out']]),
];

const changedJson = (original: Buffer, damaged: Buffer): string[] =>
  differences(...([original, damaged].map((bytes) => JSON.parse(bytes.toString())) as [unknown, unknown]));

const loader = new Loader();
afterAll(() => loader.stop());

describe.each(FORMATS)('$name, damaged', ({ name, file, damage, untold, changes = changedJson }) => {
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  let folder: string;
  let original: Buffer;
  let whole: Answer;

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hostile-'));
    fs.cpSync(TINY, folder, { recursive: true });
    writeJson(path.join(folder, 'config_sentence_transformers.json'), {
      prompts: { query: 'query: ', document: 'passage: ' },
      default_prompt_name: null,
    });
    writeSearchSettings(folder, { windows: { size: 48, stride: 24 }, windowTemperature: 0.05, bm25Weight: 0.0125 });
    original = fs.readFileSync(path.join(folder, file));
    whole = (await loader.load(folder)) as Answer;
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  it('is refused by name, or changes nothing that a check could tell', { timeout: 1_200_000 }, async () => {
    expect(whole).toMatchObject({ areNumbers: true });
    for (let n = 0; n < MUTATIONS; n++) {
      const { kind, bytes } = damage(original, n);
      fs.writeFileSync(path.join(folder, file), bytes);
      const answer = await loader.load(folder);
      const verdict = judge(answer, bytes);
      counts[verdict] = (counts[verdict] ?? 0) + 1;
      if (verdict.startsWith('FAULT')) faults.push(`${n} (${kind}): ${verdict}`);
    }
    console.log(name, counts);
    expect(faults).toEqual([]);
  });

  function judge(answer: Answer | { died: string }, damaged: Buffer): string {
    if ('died' in answer) return `FAULT ${answer.died}`;
    if (answer.peak > MOST_BYTES) return `FAULT takes ${answer.peak} bytes`;
    if (answer.tensors > 0) return `FAULT keeps ${answer.tensors} tensors`;
    if (answer.error !== undefined) {
      const names = answer.error.includes(folder) && /\.(json|safetensors)\b/.test(answer.error);
      return names ? 'refused' : `FAULT names no file: ${answer.error}`;
    }
    if (!answer.areNumbers) return 'FAULT vectors that are no numbers';
    if (answer.vectors === whole.vectors && answer.search === whole.search) return 'equal';
    const changed = changes(original, damaged);
    const [, why] = untold.find(([where]) => changed.some((at) => where.test(at))) ?? [];
    return why ? `different: ${why}` : `FAULT different by ${changed}`;
  }
});
