import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readDocuments } from 'finetune-embedding';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from './make-pdf';
import { readPages } from './read-pages';

const COLOURS = ['green', 'red', 'yellow', 'black'];
let folder: string;
const at = (name: string) => path.join(folder, name);
const write = async (name: string, content: string | Uint8Array) => {
  await fs.mkdir(path.dirname(at(name)), { recursive: true });
  await fs.writeFile(at(name), content);
};

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'corpus-'));
  const good = await makePdf({
    header: 'The Pilot Book',
    footer: (page) => `${page}`,
    content: [1, 2, 3, 4].map((i) => ({
      text: `The ${COLOURS[i - 1]} buoy marks a wreck.`,
      pageBreak: i > 1 ? ('before' as const) : undefined,
    })),
  });
  await write('good.pdf', good);
  await write('locked.pdf', await makePdf({ userPassword: 'anchor', content: ['The vault is blue.'] }));
  await write('scan.pdf', await makePdf({ content: [{ canvas: [{ type: 'rect', x: 0, y: 0, w: 99, h: 99 }] }] }));
  await write('half.pdf', good.subarray(0, good.length / 2));
  const holed = Buffer.from(good);
  for (let i = 200; i < holed.length - 200; i += 3) holed[i] = 0x20;
  await write('holed.pdf', holed);
  await write('empty.pdf', '');
  await write('really.pdf', '<!doctype html><p>Not a PDF</p>');
  await write(
    'notes.md',
    '---\ntitle: x\n---\n# Tides\n\nSee *the* [tables](http://x.y/z).\n\n| Port | Hour |\n| --- | --- |\n| Ayr | 7 |\n\n- one\n',
  );
  await write('notes.txt', 'Plain\r\ntext \u2013 caf\u00e9.');
  await write('latin.txt', Buffer.from('caf\xe9', 'latin1'));
  await write('binary.txt', Buffer.from([1, 0, 2, 0, 0, 0]));
  await write('picture.txt', Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1)));
  await write('letter.txt', '{\\rtf1\\ansi Dear harbour master, …}');
  await write('saved.txt', '\n<!DOCTYPE html>\n<html><body><nav>Menu</nav><p>Gate &amp; sluice.</p></body></html>');
  await write(
    'page.html',
    '<html><head><title>T</title><style>p{}</style></head><body><header>Site</header><nav>Menu</nav><article><header><h1>Locks</h1></header><p>Gate&nbsp;&amp; <b>sluice</b>.</p><script>document.body.innerHTML="no"</script><table><tr><td>Rise</td><td>3 m</td></tr><tr><td>Fall</td><td>2 m</td></tr></table></article></body></html>',
  );
  await write('sub/deep/more.md', 'Deep.');
  await write('sub/.hidden.md', 'Hidden.');
  await write('sub/photo.png', 'x');
  await write('tides [2024]/january.md', 'High at noon.');
  await fs.symlink(at('absent.pdf'), at('tides [2024]/moved.pdf'));
});

afterAll(() => fs.rm(folder, { recursive: true }));

describe('a document', () => {
  it('reads a PDF page by page, without header and page numbers', async () => {
    expect(await readPages(at('good.pdf'))).toEqual(
      [1, 2, 3, 4].map((page) => ({
        file: at('good.pdf'),
        page,
        text: `The ${COLOURS[page - 1]} buoy marks a wreck.`,
      })),
    );
  });
  it('reads Markdown, text and HTML', async () => {
    expect((await readPages(at('notes.md')))[0].text).toBe('Tides\n\nSee the tables.\n\nPort\tHour\nAyr\t7\n\n• one');
    expect((await readPages(at('notes.txt')))[0].text).toBe('Plain\ntext – café.');
    expect((await readPages(at('latin.txt')))[0].text).toBe('café');
    expect((await readPages(at('saved.txt')))[0].text).toBe('Gate & sluice.');
    expect((await readPages(at('page.html')))[0].text).toBe('Locks\n\nGate & sluice.\n\nRise\t3 m\nFall\t2 m');
  });
  it.each([
    ['scan.pdf', /has 1 page\(s\) and no text, .*OCR/],
    ['empty.pdf', /is empty \(0 bytes\)/],
    ['really.pdf', /is not a PDF in spite of its name; it looks like an HTML/],
    ['binary.txt', /holds binary data/],
    ['picture.txt', /holds binary data/],
    ['letter.txt', /is not plain text in spite of its name; it looks like an RTF document/],
    ['sub/photo.png', /unknown type \.png; PDF, Markdown/],
    ['absent.pdf', /matches no file/],
  ])('says why it cannot read %s', async (name, reason) => {
    await expect(readPages(at(name))).rejects.toThrow(reason);
  });
});

describe('readDocuments', () => {
  it('reads folders and globs, each file once, and names what it left out', async () => {
    const { pages, skipped } = await readDocuments([at('notes.*'), at('sub'), at('notes.md'), at('*.docx')]);
    expect([...new Set(pages.map(({ file }) => path.relative(folder, file)))]).toEqual([
      'notes.md',
      'notes.txt',
      path.join('sub', 'deep', 'more.md'),
    ]);
    expect(skipped).toEqual([
      { file: at('*.docx'), reason: 'matches no file' },
      { file: at('sub/photo.png'), reason: expect.stringContaining('unknown type .png') },
    ]);
  });
  it('takes brackets in a folder’s name as they are, and names a link that leads nowhere', async () => {
    const { pages, skipped } = await readDocuments([at('tides [2024]'), at('tides*/*')]);
    expect(pages.map(({ file, text }) => [path.basename(file), text])).toEqual([['january.md', 'High at noon.']]);
    expect(skipped).toEqual([{ file: at('tides [2024]/moved.pdf'), reason: 'does not exist' }]);
  });
  it('goes on after damaged files, in a plain Node process that stays alive', () => {
    // In a process of its own: a rejection nobody holds would end it, and vitest would not show that.
    const script = `
      const { readDocuments } = require('finetune-embedding/dist/corpus/index.js');
      readDocuments(${JSON.stringify(['half.pdf', 'holed.pdf', 'good.pdf'].map(at))}).then(async (result) => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        console.log(JSON.stringify(result));
      });`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const { pages, skipped } = JSON.parse(stdout);
    expect(pages.filter(({ file }: { file: string }) => file === at('good.pdf'))).toHaveLength(4);
    const named = new Set(skipped.map(({ file }: { file: string }) => path.basename(file).split(',')[0]));
    expect(named).toContain('holed.pdf');
    for (const { reason } of skipped) expect(reason).toMatch(/damaged|could not be read|no text|gibberish/);
  });
});
