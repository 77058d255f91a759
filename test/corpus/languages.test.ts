// Documents that are not in English: each is read, or named with the reason.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pagesPdf } from './make-pdf';
import { readPages } from './read-pages';

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'languages-'));
});
afterAll(() => fs.rm(folder, { recursive: true }));

async function textOf(name: string, content: string | Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await fs.writeFile(file, content);
  return (await readPages(file))[0].text;
}

// East Asian PDFs often name a font and an encoding that every reader is expected to know, and embed neither.
it.each([
  ['Japanese, in Unicode', 'UniJIS-UCS2-H', 'Japan1', '706F53F06E2F', '灯台港'],
  ['Japanese, in Shift-JIS', '90ms-RKSJ-H', 'Japan1', '93FA967B8CEA', '日本語'],
  ['Japanese, by glyph number', 'Identity-H', 'Japan1', '04AB04AC', '亥域'],
  ['Chinese, in GBK', 'GBK-EUC-H', 'GB1', 'D6D0CEC4', '中文'],
  ['Chinese, in Big5', 'ETen-B5-H', 'CNS1', 'A4A4A4E5', '中文'],
  ['Korean, in UHC', 'KSCms-UHC-H', 'Korea1', 'C7D1B1B9', '한국'],
])('reads a PDF in %s', async (_, encoding, ordering, hex, text) => {
  const font = `<</Type/Font /Subtype/Type0 /BaseFont/Batang /Encoding/${encoding} /DescendantFonts [4 0 R]>>`;
  const descendant = `<</Type/Font /Subtype/CIDFontType0 /BaseFont/Batang /FontDescriptor 5 0 R /DW 1000
    /CIDSystemInfo <</Registry (Adobe) /Ordering (${ordering}) /Supplement 2>>>>`;
  const descriptor = `<</Type/FontDescriptor /FontName/Batang /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0
    /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80>>`;
  expect(await textOf('east.pdf', pagesPdf([`<${hex}>`], font, descendant, descriptor))).toBe(text);
});

const bytes = (hex: string) => Buffer.from(hex, 'hex');
/** «Привет, мир.» in Windows-1251. */
const RUSSIAN = bytes('cff0e8e2e5f22c20ece8f02e');

it('reads HTML in the encoding that it declares', async () => {
  const russian = Buffer.concat([Buffer.from('<meta charset="windows-1251"><p>'), RUSSIAN]);
  expect(await textOf('russian.html', russian)).toBe('Привет, мир.');
  const declared = '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"><p>';
  expect(await textOf('tower.html', Buffer.concat([Buffer.from(declared), bytes('939491e4')]))).toBe('灯台');
  const xhtml = '<?xml version="1.0" encoding="windows-1251"?><html><body><p>';
  expect(await textOf('russian.xhtml', Buffer.concat([Buffer.from(xhtml), RUSSIAN]))).toBe('Привет, мир.');
  // Many pages declare one encoding and are written in another: what is valid UTF-8 is that.
  expect(await textOf('wrong.html', '<meta charset="iso-8859-1"><p>Grüße')).toBe('Grüße');
});

it('reads text in Unicode and in Windows-1252', async () => {
  expect(await textOf('tower.md', '# 灯塔\n\n灯塔站在港口。')).toBe('灯塔\n\n灯塔站在港口。');
  expect(await textOf('tower.txt', Buffer.from('\ufeffGrüße vom Leuchtturm', 'utf16le'))).toBe('Grüße vom Leuchtturm');
  const french = 'Élève à l\x92école où naître est une fête très chère.';
  expect(await textOf('french.txt', Buffer.from(french, 'latin1'))).toBe(french.replace('\x92', '’'));
});

it.each([
  ['Russian', RUSSIAN],
  ['Polish', bytes('5a61b3f3bf20b3f3646b657a2c206d79b36f9cb3616e20706f77696564627a')],
  ['Japanese', bytes('93fa967b8cea82c5')],
])('names a text file in an encoding of before Unicode: %s', async (_, content) => {
  await expect(textOf('old.txt', content)).rejects.toThrow(
    /old\.txt is not in Unicode, and its encoding is unknown; save it as UTF-8/,
  );
});
