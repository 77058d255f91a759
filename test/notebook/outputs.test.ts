// Tables, texts and progress: what they print in plain Node, and the HTML they send from a tslab kernel.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { progressBar, shorten } from 'finetune-embedding';
import { escapeHtml, hoverText } from 'finetune-embedding/dist/notebook/escape.js';
import { formatSeconds } from 'finetune-embedding/dist/notebook/progress.js';
import { renderTable } from 'finetune-embedding/dist/notebook/table.js';
import { JSDOM } from 'jsdom';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

const rows = [
  { model: 'base <b>', 'hit rate@5': 0.71234, queries: 1200, lr: 0.0001 },
  { model: 'fine-tuned', 'hit rate@5': 0.8, queries: 1200, lr: null },
];

describe('table', () => {
  it('escapes text, aligns numbers and marks the best one of each column', () => {
    const document = new JSDOM(renderTable(rows, { caption: 'A & B', highlight: 'max' }).html).window.document;
    const cells = [...document.querySelectorAll('td')].map((cell) => cell.textContent);
    expect(cells).toEqual(['base <b>', '0.712', '1,200', '0.000100', 'fine-tuned', '0.800', '1,200', '–']);
    expect([...document.querySelectorAll('b')].map((bold) => bold.textContent)).toEqual(['0.800']);
    expect(document.querySelector('caption')?.textContent).toBe('A & B');
    expect([...document.querySelectorAll('th')].map((cell) => cell.getAttribute('align'))).toEqual([
      'left',
      'right',
      'right',
      'right',
    ]);
  });

  it('prints the same as aligned text', () => {
    const two = rows.map(({ model, 'hit rate@5': hitRate }) => ({ model, 'hit rate@5': hitRate }));
    const { text } = renderTable(two, { highlight: { 'hit rate@5': 'min' } });
    expect(text.split('\n')).toEqual([
      'model       hit rate@5',
      '----------  ----------',
      'base <b>        0.712*',
      'fine-tuned      0.800',
    ]);
  });
});

describe('texts', () => {
  it('escapes all that HTML reads', () => {
    expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
  });

  it('shortens at a word end and breaks hover labels into lines', () => {
    expect(shorten('some  words\nare cut', 12)).toBe('some words…');
    expect(shorten('short', 12)).toBe('short');
    expect(shorten('𠮷野𠮷野', 4)).toBe('𠮷野…');
    expect(hoverText('図書館'.repeat(30)).split('<br>')).toEqual(['図書館'.repeat(20), '図書館'.repeat(10)]);
    const lines = hoverText(`${'word '.repeat(40)}<script>`, 1000).split('<br>');
    expect(lines.every((line) => line.length <= 75)).toBe(true);
    expect(lines.at(-1)).toContain('&lt;script&gt;');
  });

  it('writes durations as people do', () => {
    expect([0.42, 12.2, 59.7, 200, 7500].map(formatSeconds)).toEqual([
      '0.4 s',
      '12 s',
      '1 min 0 s',
      '3 min 20 s',
      '2 h 5 min',
    ]);
  });
});

describe('progressBar in plain Node', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('ends in one line with count, time and rate', () => {
    vi.useFakeTimers();
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const bar = progressBar('Encoding', 40);
    for (let done = 1; done <= 40; done++) {
      vi.advanceTimersByTime(100);
      bar.update(done);
    }
    bar.finish('twice is harmless');
    const lines = write.mock.calls.map(([text]) => String(text)).filter((text) => text.endsWith('\n'));
    expect(lines.map((line) => line.replace('\r\x1b[2K', ''))).toEqual(['Encoding: 40 in 4.0 s (10/s)\n']);
  });
});

describe('in a tslab kernel', () => {
  let folder: string;

  // A kernel as the library sees it: a process that has loaded tslab's Jupyter server, with tslab's display API beside it.
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'kernel-'));
    for (const part of ['bin', 'dist']) mkdirSync(path.join(folder, 'tslab', part), { recursive: true });
    writeFileSync(path.join(folder, 'tslab/dist/jupyter.js'), '');
    writeFileSync(
      path.join(folder, 'tslab/dist/public.js'),
      `const sent = []; let displays = 0;
       const make = (id) => ({ html: (html) => sent.push({ id, html }) });
       exports.display = make(0); exports.newDisplay = () => make(++displays); exports.sent = sent;`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(code: string): { id: number; html: string }[] {
    const library = path.resolve('node_modules/finetune-embedding/dist/notebook');
    writeFileSync(
      path.join(folder, 'tslab/bin/tslab'),
      `require('../dist/jupyter.js'); const part = (name) => require(${JSON.stringify(library)} + '/' + name); const library = part('index'); const { sent } = require('../dist/public.js');
       let now = 0; Date.now = () => now; const wait = (ms) => { now += ms; };
       (async () => { ${code} })().then(() => {
         require('fs').writeFileSync(${JSON.stringify(path.join(folder, 'sent.json'))}, JSON.stringify(sent));
         process.exit(0);
       });`,
    );
    const printed = execFileSync(process.execPath, [path.join(folder, 'tslab/bin/tslab')], { encoding: 'utf8' });
    expect(printed).toBe('');
    return JSON.parse(readFileSync(path.join(folder, 'sent.json'), 'utf8'));
  }

  it('updates a progress bar in one display, at most 4 times a second', () => {
    const sent = run(`const bar = library.progressBar('<Encoding>', 100);
      for (let i = 1; i <= 100; i++) { wait(10); bar.update(i); }`);
    expect(new Set(sent.map(({ id }) => id))).toEqual(new Set([1]));
    expect(sent.length).toBe(5); // at 0, 250, 500 and 750 ms, and at the end
    expect(sent[1].html).toContain('value="25" max="100"');
    expect(sent.at(-1)?.html).toBe('<div>&lt;Encoding&gt;: 100 in 1.0 s (100/s)</div>');
  });

  it('says a remark beside the progress, and keeps it at the end', () => {
    const sent = run(`const bar = library.progressBar('Questions', 2);
      wait(500); bar.update(1, 2, '1 failed'); bar.update(2, 2, '1 failed, $0.01');`);
    expect(sent[1].html).toContain('1/2');
    expect(sent[1].html).toContain('1 failed');
    expect(sent.at(-1)?.html).toContain('1 failed, $0.01');
  });

  it('tells the time left by the pace of this run, not by what was there before', () => {
    const sent = run(`const bar = library.progressBar('Questions', 1000);
      wait(300); bar.update(900); for (let i = 1; i <= 10; i++) { wait(1000); bar.update(900 + i); }`);
    expect(sent[1].html).toContain(' Questions: 900/1000<');
    expect(sent.at(-1)?.html).toContain(' Questions: 910/1000 · 1.0/s · 1 min 30 s left<');
  });

  it('redraws a live figure in one display and ends with its still picture', () => {
    const sent = run(`const { liveFigure } = part('figure'); const { lossCurve } = part('charts/curves');
      const live = liveFigure(); let drawn = 0;
      const chart = () => { drawn++; return lossCurve({ steps: [{ step: 1, loss: 2 }], evaluations: [] }, 'MAP@100'); };
      for (let i = 0; i < 100; i++) { wait(10); live.update(chart); }
      if (drawn > 4) throw new Error('drawn ' + drawn);
      await live.finish(chart());
      live.update(chart);`);
    expect(new Set(sent.map(({ id }) => id))).toEqual(new Set([1]));
    expect(sent.length).toBe(6); // its place, 4 updates, the last state
    expect(sent.slice(0, -1).some(({ html }) => html.includes('<img'))).toBe(false);
    expect(sent.at(-1)?.html).toContain('<img alt="Training loss and evaluations" src="data:image/svg+xml;base64,');
  });

  it('escapes chunks, questions and ranked queries', () => {
    const [beside, ranks] = run(`
      library.questionsBesideChunk([{ chunk: 'a <i>chunk</i>', questions: ['<b>Why</b>?'] }]);
      library.wonAndLost([
        { query: '<q>', before: 9, after: 1, expected: 'x' }, { query: 'lost', before: 2, after: null, expected: 'y', retrieved: 'z' },
        { query: 'same', before: 1, after: 1, expected: 'x' }], 5);`);
    expect(beside.html).toContain('a &lt;i&gt;chunk&lt;/i&gt;');
    expect(beside.html).toContain('<li>&lt;b&gt;Why&lt;/b&gt;?</li>');
    const document = new JSDOM(ranks.html).window.document;
    expect([...document.querySelectorAll('caption')].map((caption) => caption.textContent)).toEqual([
      'Won (now in the first 5): 1 of 3 queries',
      'Lost (no longer in the first 5): 1 of 3 queries',
    ]);
    expect([...document.querySelectorAll('tbody tr')].map((row) => row.firstElementChild?.textContent)).toEqual([
      '<q>',
      'lost',
    ]);
  });
});
