// The sample corpus: its PDFs are those that its sources give, and hold the evidence of every golden question.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chunkPages } from 'finetune-embedding';
import type { Page } from 'finetune-embedding/dist/corpus/pages.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPages } from './read-pages';

const NAMES = ['larkmoor_2024', 'quillon_2024'];
const letters = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');

describe.each(NAMES)('%s', (name) => {
  const questions: { question: string; evidence: string }[] = JSON.parse(
    fs.readFileSync(`data/${name}.questions.json`, 'utf8'),
  );
  let pages: Page[];
  beforeAll(async () => {
    pages = await readPages(`data/${name}.pdf`);
  });

  it('is a report of 15,000 words or more, with 120 golden questions or more', () => {
    const words = pages.flatMap(({ text }) => text.split(/\s+/));
    expect(words.length).toBeGreaterThan(15_000);
    expect(questions.length).toBeGreaterThanOrEqual(120);
    expect(new Set(questions.map(({ question }) => question)).size).toBe(questions.length);
  });
  it('has neither running headers nor page numbers left in its pages', () => {
    const title = pages[0].text.split('\n')[0];
    for (const { page, text } of pages.slice(1)) {
      expect(text.startsWith(title)).toBe(false);
      expect(text.split('\n')).not.toContain(String(page));
    }
  });
  it.each([1024, 512, 256])('holds the evidence of each question in one chunk of %i tokens', async (chunkSize) => {
    const chunks = (await chunkPages(pages, { chunkSize })).map(({ text }) => letters(text));
    const missing = questions.filter(({ evidence }) => !chunks.some((chunk) => chunk.includes(letters(evidence))));
    expect(missing).toEqual([]);
  });
});

describe('scripts/build-sample-pdfs.mjs', () => {
  it('builds the committed reports from their sources, with the same bytes on every run', async () => {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'samples-'));
    const built = (name: string) => path.join(copy, `data/${name}.pdf`);
    try {
      fs.mkdirSync(path.join(copy, 'scripts'));
      fs.copyFileSync('scripts/build-sample-pdfs.mjs', path.join(copy, 'scripts/build-sample-pdfs.mjs'));
      fs.cpSync('data/sources', path.join(copy, 'data/sources'), { recursive: true });
      fs.symlinkSync(path.resolve('node_modules'), path.join(copy, 'node_modules'), 'dir');
      const build = () => {
        execFileSync(process.execPath, [path.join(copy, 'scripts/build-sample-pdfs.mjs')]);
        return NAMES.map((name) => fs.readFileSync(built(name)).toString('base64'));
      };
      expect(build()).toEqual(build());
      // Text, not bytes: another release of Node may compress otherwise.
      const texts = async (file: string) => (await readPages(file)).map(({ text }) => text);
      for (const name of NAMES) expect(await texts(built(name))).toEqual(await texts(`data/${name}.pdf`));
    } finally {
      fs.rmSync(copy, { recursive: true });
    }
  });
});
