// Documents made to block, to fill memory or to mislead: each is read or refused by name, and the process stays free.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemblePdf } from '../corpus/make-pdf';

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hostile-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** Reads and cuts files in a plain process; `gap` is the longest time, in ms, that nothing else could run in it. */
const SCRIPT = `
  const { chunkPages, readDocuments } = require('finetune-embedding/dist/corpus/index.js');
  let [last, gap, most] = [performance.now(), 0, 0];
  setInterval(() => {
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  // A kernel has a listener of its own.
  process.on('SIGINT', () => {});
  (async () => {
    const { pages, skipped } = await readDocuments(JSON.parse(process.argv[1]));
    const chunks = await chunkPages(pages);
    const megabytes = most / 1e6;
    console.log(JSON.stringify({ pages: pages.length, chunks: chunks.length, skipped, gap, megabytes }));
    process.exit();
  })().catch((error) => { console.log(error.message); process.exit(1); });`;

function start(files: string[]) {
  const child = spawn(process.execPath, ['-e', SCRIPT, JSON.stringify(files)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const ended = new Promise<string>((resolve) => child.on('close', () => resolve(output)));
  return { child, ended };
}

async function readElsewhere(files: string[]) {
  return JSON.parse(await start(files).ended) as {
    pages: number;
    chunks: number;
    skipped: { file: string; reason: string }[];
    gap: number;
    megabytes: number;
  };
}

/** A PDF whose only page is drawn by `bytes` blanks, packed a thousandfold. */
function bomb(bytes: number): Buffer {
  const packed = zlib.deflateSync(Buffer.concat([Buffer.alloc(bytes, ' '), Buffer.from('BT (x) Tj ET')]));
  return assemblePdf([
    '<</Type/Catalog /Pages 2 0 R>>',
    '<</Type/Pages /Kids [3 0 R] /Count 1>>',
    '<</Type/Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R>>',
    `<</Length ${packed.length} /Filter/FlateDecode>>\nstream\n${packed.toString('latin1')}\nendstream`,
  ]);
}

describe('a hostile document', () => {
  it('is read and cut while the process stays free', async () => {
    const texts: Record<string, string> = {
      'spaces.md': `Before a${' '.repeat(200_000)}b after.`,
      'divs.html': `<p>Before.${'<div>'.repeat(10_000)}after`,
      'bold.html': `<p>Before.${'<b>'.repeat(30_000)}after`,
      'brackets.md': `Before.\n\n${'['.repeat(200_000)}`,
      'comments.md': `Before.\n\n${'<!--'.repeat(200_000)}`,
      'links.md': `Before.\n\n${'[a]('.repeat(50_000)}`,
      'line.txt': 'The lamp burns. '.repeat(312_500),
      'gap.txt': `Before a${' '.repeat(200_000)}b after.`,
    };
    for (const [name, text] of Object.entries(texts)) fs.writeFileSync(at(name), text);
    const { pages, chunks, skipped, gap, megabytes } = await readElsewhere(Object.keys(texts).map(at));
    expect({ pages, skipped }).toEqual({ pages: Object.keys(texts).length, skipped: [] });
    expect(chunks).toBeGreaterThan(1000);
    expect(gap).toBeLessThan(1000);
    expect(megabytes).toBeLessThan(1000);
  });

  it('is left within a second when the process is interrupted', async () => {
    const long = Array.from({ length: 8 }, (_, i) => at(`long-${i}.txt`)); // half a minute's work
    for (const file of long) fs.writeFileSync(file, 'The lamp burns. '.repeat(1.2e6));
    const { child, ended } = start(long);
    await sleep(3000);
    const asked = Date.now();
    child.kill('SIGINT');
    expect(await ended).toBe('Stopped by the user.\n');
    const seconds = (Date.now() - asked) / 1000;
    console.log(`Left ${seconds} s after the interruption`);
    expect(seconds).toBeLessThan(1);
  });

  it.each([300e6, 2e9])('of %i bytes packed a thousandfold stays under 1 GB', async (bytes) => {
    fs.writeFileSync(at('bomb.pdf'), bomb(bytes));
    fs.writeFileSync(
      at('after.txt'),
      'The lamp on the outer mole is tended by the harbour office, and burns from dusk.',
    );
    const { pages, skipped, megabytes } = await readElsewhere([at('bomb.pdf'), at('after.txt')]);
    console.log(`${bytes / 1e6} MB unpacked took ${megabytes.toFixed(0)} MB:`, skipped);
    expect(megabytes).toBeLessThan(1000);
    expect(pages + skipped.length).toBe(2);
    for (const { file, reason } of skipped)
      expect([file, reason]).toEqual([at('bomb.pdf'), expect.stringMatching(/memory|damaged/)]);
  });
});
