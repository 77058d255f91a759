// The control on real input: how close chunks come to those of the original workflow, on the same two annual reports.
import fs from 'node:fs';
import path from 'node:path';
import { type Chunk, chunkPages } from 'finetune-embedding';
import { describe, expect, it } from 'vitest';
import { readPages } from './read-pages';

const shared = path.resolve('../shared/data');
const isThere = fs.existsSync(shared);
if (!isThere) console.log(`${shared} is not there: the control on the 10-K reports is skipped`);

const chunksOf = async (name: string) => await chunkPages(await readPages(path.join(shared, name)));

/** Every run of 8 letters and digits. */
function shingles(text: string): Set<string> {
  const letters = text.toLowerCase().replace(/[^a-z0-9]/g, '');
  return new Set(Array.from({ length: Math.max(0, letters.length - 7) }, (_, i) => letters.slice(i, i + 8)));
}

/** Largest part of the text's shingles that one of the candidates holds. */
function bestOverlap(text: string, candidates: Set<string>[]): number {
  const wanted = [...shingles(text)];
  if (wanted.length === 0) return 0;
  return Math.max(...candidates.map((held) => wanted.filter((one) => held.has(one)).length / wanted.length));
}

describe.skipIf(!isThere)('the 10-K reports', () => {
  let lyft: Chunk[];
  it('give the number of chunks of the original, within 10%', async () => {
    lyft = await chunksOf('lyft_2021.pdf');
    const uber = await chunksOf('uber_2021.pdf');
    console.log(`chunks: Lyft ${lyft.length} (original 334), Uber ${uber.length} (original 395)`);
    expect(Math.abs(lyft.length / 334 - 1)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(uber.length / 395 - 1)).toBeLessThanOrEqual(0.1);
    expect(new Set([...lyft, ...uber].map(({ id }) => id)).size).toBe(lyft.length + uber.length);
  });
  it('hold at least 80% of 85% of the original chunks', () => {
    const dataset = JSON.parse(fs.readFileSync(path.join(shared, 'lyft_train_dataset.json'), 'utf8'));
    const originals = Object.values<string>(dataset.corpus);
    const candidates = lyft.map(({ text }) => shingles(text));
    const found = originals.filter((text) => bestOverlap(text, candidates) >= 0.8).length;
    console.log(`original chunks found: ${found} of ${originals.length}`);
    expect(found / originals.length).toBeGreaterThanOrEqual(0.85);
  });
});
