// Damaged documents and datasets: each is read or refused by its name, in time and in bounded memory. 60 a format on
// each run; HOSTILE=2000 for as many as that.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readDocuments } from 'finetune-embedding';
import { readGoldenQuestions } from 'finetune-embedding/dist/dataset/golden.js';
import { readDataset } from 'finetune-embedding/dist/dataset/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from '../corpus/make-pdf';
import { MUTATIONS, mutate } from './mutate';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mutations-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** What became of the mutations, by kind. */
type Tally = Record<string, Record<string, number>>;
function count(tally: Tally, kind: string, outcome: string): void {
  tally[kind] ??= {};
  tally[kind][outcome] = (tally[kind][outcome] ?? 0) + 1;
}

const LONGEST_MS = 10_000;

/** Reads each mutation of a file, and tells what came of it. */
async function tryAll(name: string, original: Uint8Array, read: (file: string) => Promise<string>): Promise<Tally> {
  const tally: Tally = {};
  const file = path.join(folder, name);
  let [slowest, most] = [0, 0];
  for (let n = 0; n < MUTATIONS; n++) {
    const { kind, bytes } = mutate(original, name, n);
    fs.writeFileSync(file, bytes);
    const start = performance.now();
    const outcome = await read(file).catch((error: Error) => {
      expect(error.message, `mutation ${n} (${kind})`).toContain(file);
      return 'refused';
    });
    slowest = Math.max(slowest, performance.now() - start);
    most = Math.max(most, process.resourceUsage().maxRSS / 1024);
    count(tally, kind, outcome);
  }
  console.log(`${MUTATIONS} of ${name}; slowest ${slowest.toFixed(0)} ms, at most ${most.toFixed(0)} MB`);
  console.table(tally);
  expect(slowest).toBeLessThan(LONGEST_MS);
  expect(most).toBeLessThan(1000);
  return tally;
}

const LONG_MODE = 3_600_000;

describe('a damaged file', () => {
  it(
    'is read or named if it is a PDF, and not called encrypted, nor a scan without a doubt',
    async () => {
      const content = Array.from({ length: 3 }, (_, i) => ({
        text: `Buoy ${i} marks the wreck of the ${['Ada', 'Bee', 'Cora'][i]}, which lies at ${i + 4} fathoms.`,
        pageBreak: i > 0 ? ('before' as const) : undefined,
      }));
      const pdf = await makePdf({ content });
      const whole = await textOf('whole.pdf', pdf);
      const read = async (file: string) => {
        const { pages, skipped } = await readDocuments([file]);
        for (const { file: named, reason } of skipped) {
          expect(named).toContain(file);
          expect(reason).not.toMatch(/encrypted/);
          if (reason.includes('scan')) expect(reason).toContain('or damaged');
        }
        if (pages.length === 0) return 'refused';
        if (skipped.length > 0) return 'read in part, and said';
        return pages.map(({ text }) => text).join('\n') === whole ? 'read whole' : 'read otherwise';
      };
      await tryAll('report.pdf', pdf, read);
    },
    LONG_MODE,
  );

  it(
    'is read or named if it is a dataset',
    async () => {
      const golden: { question: string; evidence: string | string[] }[] = JSON.parse(
        fs.readFileSync('data/quillon_2024.questions.json', 'utf8'),
      ).slice(0, 20); // a few, so that damage meets every part
      const by = <T>(letter: string, value: (entry: (typeof golden)[0], i: number) => T) =>
        Object.fromEntries(golden.map((entry, i) => [`${letter}${i}`, value(entry, i)]));
      const small = {
        queries: by('q', ({ question }) => question),
        corpus: by('c', ({ evidence }) => [evidence].flat().join(' ').slice(0, 80)),
        relevant_docs: by('q', (_, i) => [`c${i}`]),
        mode: 'text',
      };
      const docs = small.relevant_docs;
      const text = JSON.stringify(small, null, 4);
      const ids = JSON.stringify([Object.keys(small.queries), Object.keys(small.corpus), docs]);
      await tryAll('dataset.json', Buffer.from(text), async (file) => {
        const read = await readDataset(file);
        if (JSON.stringify({ ...read.extra, ...read }).includes('\ufffd')) return 'read with marks';
        const readIds = JSON.stringify([Object.keys(read.queries), Object.keys(read.corpus), read.relevantDocs]);
        return readIds === ids ? 'read, other letters' : 'read, other ids';
      });
    },
    LONG_MODE,
  );

  it(
    'is read or named if it holds questions',
    async () => {
      const questions = fs.readFileSync('data/quillon_2024.questions.json');
      const text = JSON.stringify(JSON.parse(questions.toString()).slice(0, 40), null, 1);
      await tryAll('report.questions.json', Buffer.from(text), async (file) =>
        (await readGoldenQuestions(file)).length === 40 ? 'read' : 'read, another number',
      );
    },
    LONG_MODE,
  );
});

async function textOf(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  const { pages, skipped } = await readDocuments([file]);
  expect(skipped).toEqual([]);
  return pages.map(({ text }) => text).join('\n');
}
