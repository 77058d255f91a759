// Files damaged on purpose, the same on every run: what a bad disk, a cut download or a hostile hand may make of them.
import { seededRandom } from '../../lib/common/random';

const EXTREMES =
  '0,-1,1e9,2147483648,4294967296,-9223372036854775808,1e308,-1e308,1e999,1e-320,0.5,NaN,null,true,"",[],{}'.split(',');

/** How many mutations a format gets: few on each run, `HOSTILE=2000` for the long mode. */
export const MUTATIONS = Number(process.env.HOSTILE ?? 60);

type Mutation = (bytes: Buffer, upTo: (limit: number) => number) => Buffer;

/** Two places in order, at most `longest` bytes apart. */
function range(bytes: Buffer, upTo: (limit: number) => number, longest: number): [number, number] {
  const start = upTo(bytes.length);
  return [start, Math.min(bytes.length, start + 1 + upTo(longest))];
}

const splice = (bytes: Buffer, start: number, end: number, insert: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(end)]);

const KINDS: Record<string, Mutation> = {
  flip(bytes, upTo) {
    for (let n = 1 + upTo(8); n > 0; n--) bytes[upTo(bytes.length)] ^= 1 << upTo(8);
    return bytes;
  },
  overwrite(bytes, upTo) {
    for (let n = 1 + upTo(Math.ceil(bytes.length / 100)); n > 0; n--) bytes[upTo(bytes.length)] = upTo(256);
    return bytes;
  },
  blank(bytes, upTo) {
    return bytes.fill(upTo(2) * 0x20, ...range(bytes, upTo, bytes.length / 4));
  },
  truncate(bytes, upTo) {
    return bytes.subarray(0, upTo(bytes.length));
  },
  remove(bytes, upTo) {
    const [start, end] = range(bytes, upTo, bytes.length / 4);
    return splice(bytes, start, end, new Uint8Array());
  },
  duplicate(bytes, upTo) {
    const [start, end] = range(bytes, upTo, bytes.length / 4);
    return splice(bytes, end, end, bytes.subarray(start, end));
  },
  swap(bytes, upTo) {
    const places = Array.from({ length: 4 }, () => upTo(bytes.length)).sort((a, b) => a - b);
    const [a, b, c, d] = places;
    return Buffer.concat([
      bytes.subarray(0, a),
      bytes.subarray(c, d),
      bytes.subarray(b, c),
      bytes.subarray(a, b),
      bytes.subarray(d),
    ]);
  },
  /** Up to three numbers replaced by extreme ones, in the bytes' text; without a number, a flip. */
  extreme(bytes, upTo) {
    const text = bytes.toString('latin1');
    const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi)];
    if (numbers.length === 0) return KINDS.flip(bytes, upTo);
    const chosen = new Set(Array.from({ length: 1 + upTo(3) }, () => numbers[upTo(numbers.length)]));
    const lastFirst = [...chosen].sort((a, b) => b.index - a.index);
    return lastFirst.reduce((whole, { 0: number, index }) => {
      const replacement = Buffer.from(EXTREMES[upTo(EXTREMES.length)]);
      return splice(whole, index, index + number.length, replacement);
    }, bytes);
  },
};

/** The `n`-th damaged copy of a file, and what was done to it; the same for the same `seed` and `n`. */
export function mutate(original: Uint8Array, seed: string, n: number): { kind: string; bytes: Buffer } {
  const random = seededRandom(`${seed} ${n}`);
  const kinds = Object.keys(KINDS);
  const kind = kinds[n % kinds.length];
  const upTo = (limit: number) => Math.floor(random() * limit);
  return { kind, bytes: KINDS[kind](Buffer.from(original), upTo) };
}
