// PDFs that are hard to read: encrypted, damaged, huge. Each is read or named, and nothing ends the process.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readDocuments } from 'finetune-embedding';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../lib/common/random';
import { assemblePdf, makePdf, pagesPdf } from './make-pdf';
import { readPages } from './read-pages';

const HELVETICA = '<</Type/Font /Subtype/Type1 /BaseFont/Helvetica /Encoding/WinAnsiEncoding>>';
let folder: string;
const at = (name: string) => path.join(folder, name);
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'pdf-'));
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** Reads files in a plain Node process, as a kernel is one: what it found, and the most memory it took, in MB. */
function readElsewhere(files: string[]) {
  const script = `
    const { readDocuments } = require('finetune-embedding/dist/corpus/index.js');
    readDocuments(${JSON.stringify(files)}).then(async ({ pages, skipped }) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const megabytes = process.resourceUsage().maxRSS / 1024;
      console.log(JSON.stringify({ pages: pages.map(({ file, text }) => [file, text]), skipped, megabytes }));
    });`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout) as {
    pages: [file: string, text: string][];
    skipped: { file: string; reason: string }[];
    megabytes: number;
  };
}

describe('an encrypted PDF', () => {
  const before = process.env.PDF_PASSWORD;
  afterEach(() => {
    if (before === undefined) delete process.env.PDF_PASSWORD;
    else process.env.PDF_PASSWORD = before;
  });

  it.each([
    ['RC4, 40 bits', '1.3'],
    ['RC4, 128 bits', '1.4'],
    ['AES, 128 bits', '1.6'],
    ['AES, 256 bits', '1.7ext3'],
  ] as const)('opens with its password, or without where only changing it needs one: %s', async (_, version) => {
    const content = ['The vault is blue.'];
    await fs.writeFile(at('locked.pdf'), await makePdf({ version, userPassword: 'anchor', content }));
    await fs.writeFile(at('guarded.pdf'), await makePdf({ version, ownerPassword: 'owner', content }));
    delete process.env.PDF_PASSWORD;
    expect((await readPages(at('guarded.pdf')))[0].text).toBe('The vault is blue.');
    await expect(readPages(at('locked.pdf'))).rejects.toThrow(
      /locked\.pdf is encrypted; give its password in PDF_PASSWORD/,
    );
    process.env.PDF_PASSWORD = 'wrong';
    await expect(readPages(at('locked.pdf'))).rejects.toThrow(/password given does not open it/);
    process.env.PDF_PASSWORD = 'anchor';
    expect((await readPages(at('locked.pdf')))[0].text).toBe('The vault is blue.');
  });

  it('is named if there is no password for it, and the others go on', async () => {
    await fs.writeFile(at('locked.pdf'), await makePdf({ userPassword: 'anchor', content: ['The vault is blue.'] }));
    await fs.writeFile(at('open.pdf'), pagesPdf(['(The door is red.)'], HELVETICA));
    const files = [at('locked.pdf'), at('open.pdf')];
    delete process.env.PDF_PASSWORD;
    const { pages, skipped } = await readDocuments(files);
    expect(pages.map(({ text }) => text)).toEqual(['The door is red.']);
    expect(skipped).toEqual([{ file: files[0], reason: 'is encrypted; give its password in PDF_PASSWORD' }]);
    // A secret belongs in the environment, not in a notebook that is shared.
    process.env.PDF_PASSWORD = 'anchor';
    expect((await readDocuments(files)).pages).toHaveLength(2);
  });
});

describe('a damaged PDF', () => {
  it('is read as far as it goes, or named, whatever is wrong with it', async () => {
    const whole = await fs.readFile('data/quillon_2024.pdf');
    const random = seededRandom('damage');
    const upTo = (limit: number) => Math.floor(random() * limit);
    const damages: ((bytes: Buffer) => Buffer)[] = [
      (bytes) => bytes.subarray(0, upTo(bytes.length)),
      (bytes) => bytes.fill(0, upTo(bytes.length / 2), bytes.length / 2 + upTo(bytes.length / 2)),
      (bytes) => {
        for (let n = 0; n < 300; n++) bytes[upTo(bytes.length)] = upTo(256);
        return bytes;
      },
      (bytes) => {
        const from = upTo(bytes.length);
        return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + upTo(20_000))]);
      },
    ];
    const files = Array.from({ length: 8 }, (_, i) => at(`damaged-${i}.pdf`));
    for (const [i, file] of files.entries()) await fs.writeFile(file, damages[i % damages.length](Buffer.from(whole)));
    await fs.writeFile(at('none.pdf'), assemblePdf(['<</Type/Catalog /Pages 2 0 R>>', '<</Type/Pages /Kids []>>']));
    await fs.writeFile(at('last.pdf'), pagesPdf(['(Still here.)'], HELVETICA));

    const { pages, skipped } = readElsewhere([...files, at('none.pdf'), at('last.pdf')]);
    expect(pages.at(-1)).toEqual([at('last.pdf'), 'Still here.']);
    for (const file of files)
      expect(
        [...pages, ...skipped.map((one) => [one.file])].some(([name]) => name.startsWith(file)),
        file,
      ).toBe(true);
    expect(skipped).toContainEqual({ file: at('none.pdf'), reason: 'has no pages' });
    for (const { reason } of skipped) {
      expect(reason).toMatch(/damaged|could not be read|no text|no pages|is not a PDF/);
      expect(reason).not.toMatch(/catch block|promise/);
    }
  });
});

describe('a huge PDF', () => {
  it('of 5,000 pages is read whole, in bounded memory', async () => {
    const strings = Array.from(
      { length: 5000 },
      (_, i) => `(The log of day ${i + 1} tells of ${(i * 7) % 1000} ships.)`,
    );
    await fs.writeFile(at('log.pdf'), pagesPdf(strings, HELVETICA));
    const { pages, skipped, megabytes } = readElsewhere([at('log.pdf')]);
    expect(skipped).toEqual([]);
    expect(pages.map(([, text]) => text)).toEqual(strings.map((string) => string.slice(1, -1)));
    console.log(`5,000 pages took ${megabytes.toFixed(0)} MB`);
    expect(megabytes).toBeLessThan(500);
  });

  it('of 150 MB of pictures is in memory once', async () => {
    const picture = `<</Type/XObject /Subtype/Image /Width 10000 /Height 5000 /ColorSpace/DeviceRGB /BitsPerComponent 8
      /Length 150000000>>\nstream\n${'x'.repeat(150e6)}\nendstream`;
    await fs.writeFile(at('atlas.pdf'), pagesPdf(['(A chart of the bay.)'], HELVETICA, picture));
    const { pages, megabytes } = readElsewhere([at('atlas.pdf')]);
    expect(pages).toEqual([[at('atlas.pdf'), 'A chart of the bay.']]);
    expect(megabytes).toBeLessThan(350);
  });
});
