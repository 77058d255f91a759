// The notebooks as committed: their outputs are those of their code, free of errors, small, and show nothing of a machine.
import fs from 'node:fs';
import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
// @ts-expect-error the scripts are plain JavaScript, without declarations
import { parseResults, readResults } from '../../scripts/results.mjs';
// @ts-expect-error the scripts are plain JavaScript, without declarations
import { codeHash, findProblems, publishable } from '../../scripts/update-notebooks.mjs';
import { type Notebook, outputTexts, readNotebook } from './slice';

describe.each(['generate_dataset', 'finetune', 'evaluate'])('notebooks/%s.ipynb', (name) => {
  const notebook = readNotebook(`notebooks/${name}.ipynb`);

  it('holds the outputs of its own code (else: npm run notebooks:update)', ({ skip }) => {
    const hasRun = 'code_sha256' in notebook.metadata || outputTexts(notebook).length > 0;
    if (!hasRun) console.log(`notebooks/${name}.ipynb holds no outputs yet: npm run notebooks:update`);
    skip(!hasRun, 'no outputs yet');
    expect(notebook.metadata.code_sha256).toBe(codeHash(notebook));
    expect(outputTexts(notebook).length).toBeGreaterThan(3);
  });

  it('has no errors, no path of a machine, no key, and at most 500 KB, 100 KB an output', () => {
    expect(findProblems(name, notebook)).toEqual([]);
  });

  it('opens with the TypeScript kernel, and names each cell once', () => {
    expect((notebook.metadata.kernelspec as { name: string }).name).toBe('tslab');
    const ids = notebook.cells.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('README.md', () => {
  it('shows the figures that evaluate.ipynb shows (else: npm run notebooks:update)', ({ skip }) => {
    const shown = outputTexts(readNotebook('notebooks/evaluate.ipynb')).find((text) => text.includes('MAP@100: 95%'));
    skip(!shown, 'no outputs yet');
    const [head, ...rows] = [...new JSDOM(shown).window.document.querySelectorAll('tr')].map((row) =>
      [...row.children].map(({ textContent }) => textContent!),
    );
    const cell = (retriever: string, column: string) =>
      rows.find(([name]) => name === retriever)![head.indexOf(column)];
    const readme = parseResults(readResults(fs.readFileSync('README.md', 'utf8')));
    expect(Object.keys(readme).length).toBeGreaterThan(4);
    for (const [retriever, metrics] of Object.entries<Record<string, string>>(readme)) {
      for (const metric of ['hit rate@5', 'MAP@100'])
        expect(metrics[metric]).toBe(`${cell(retriever, metric)} (${cell(retriever, `${metric}: 95%`)})`);
      expect(metrics['MRR@10']).toContain(`${cell(retriever, 'MRR@10')} (`);
    }
  });
});

const html = (content: string) => ({ output_type: 'display_data', metadata: {}, data: { 'text/html': content } });
const notebookOf = (...outputs: object[]): Notebook =>
  ({
    metadata: { kernelspec: { name: 'tslab' }, language_info: { name: 'typescript' }, papermill: { at: '2025' } },
    cells: [
      { cell_type: 'markdown', id: 'a', metadata: {}, source: ['# Title'] },
      { cell_type: 'code', id: 'b', metadata: { execution: {} }, execution_count: null, source: ['f();'], outputs },
    ],
  }) as unknown as Notebook;

describe('what is refused', () => {
  const svg = (words: string) =>
    `<img src="data:image/svg+xml;base64,${Buffer.from(`<svg><text>${words}</text></svg>`).toString('base64')}">`;
  it.each([
    ['an error', { output_type: 'error', ename: 'Error', evalue: 'no', traceback: [] }, 'shows an error'],
    ['an error of tslab', { output_type: 'stream', name: 'stderr', text: ['Error: no'] }, 'shows an error'],
    ['the project folder', html('in /opt/project/data'), 'shows a path of this machine: /opt/project'],
    ['a home folder', html('in /home/someone/data'), 'shows a path of this machine: /home/someone'],
    ['a path in a picture', html(svg('/Users/me/x.pdf')), 'shows a path of this machine: /Users/me'],
    ['a key', html('sk-abcdefghijklmnopqrstuvwx'), 'looks like an API key'],
    ['a large output', html('x'.repeat(100_001)), 'at most 100000 are allowed'],
  ])('%s', (_, output, problem) => {
    const problems = findProblems('finetune', notebookOf(html('fine'), output), ['/opt/project']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^finetune, code cell 1 /);
    expect(problems[0]).toContain(problem);
  });

  it('a large notebook', () => {
    const outputs = Array.from({ length: 6 }, () => html('x'.repeat(90_000)));
    expect(findProblems('evaluate', notebookOf(...outputs), [])).toEqual([expect.stringContaining('500000')]);
  });

  it('not a relative path, nor an address', () => {
    const fine = html(`../data/train_dataset.json <a href="https://arxiv.org/home/x">paper</a> ${svg('fine')}`);
    expect(findProblems('evaluate', notebookOf(fine), ['/opt/project', '/'])).toEqual([]);
  });
});

describe('publishable', () => {
  it('counts the cells, keeps their ids and outputs, and drops what depends on the run', () => {
    const executed = notebookOf(html('fine'));
    const { cells, metadata } = publishable(executed);
    expect(cells[1]).toEqual({ ...executed.cells[1], execution_count: 1, metadata: {} });
    expect(cells[0]).toEqual(executed.cells[0]);
    expect(Object.keys(metadata)).toEqual(['code_sha256', 'kernelspec', 'language_info']);
  });

  it('gives another hash when code changes, the same when text or line breaks of the file do', () => {
    const notebook = notebookOf();
    const hash = codeHash(notebook);
    notebook.cells[0].source = ['# Another title'];
    notebook.cells[1].source = 'f();';
    expect(codeHash(notebook)).toBe(hash);
    notebook.cells[1].source = 'g();';
    expect(codeHash(notebook)).not.toBe(hash);
  });
});
