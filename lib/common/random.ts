// In: a seed. Out: uniform random numbers, the same on every machine.

/** The FNV-1a hash of a text: 32 bits. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return bits;
}

/** Mulberry32: a generator of uniform numbers in [0, 1) with 32 bits of state; ample for shuffling and resampling. */
export function seededRandom(seed: number | string): () => number {
  let state = typeof seed === 'string' ? hash(seed) : seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
