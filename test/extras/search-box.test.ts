import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BM25_WINDOWS, Bm25Index, loadModel, type Matrix, rankByVectors, windowedEmbedder } from 'finetune-embedding';
import { renderSearchBox, startBoxes } from 'finetune-embedding/dist/extras/search-box/search-box.js';
import { createSearcher } from 'finetune-embedding/dist/extras/search-box/searcher.js';
import { JSDOM } from 'jsdom';
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

const ATTACK = '<img src=x onerror=alert(1)>';
const corpus = {
  b: `A river in winter. ${'stone market bread '.repeat(12)}`,
  a: `${ATTACK} ${'The market sells bread and stone. '.repeat(4)}`,
  c: 'Rivers and winters',
};
const question = `Which river ${ATTACK}`;
const prompts = { query: 'which market: ', document: '' };
const windows = { size: 12, stride: 6 };
// Jupyter serves the project's folder, so that is where the files must lie.
const folder = path.resolve('runs', `search-box-test-${process.pid}`);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((s, x, i) => s + x * b[i], 0);

describe('the search box', async () => {
  const models = await Promise.all(
    ['base', 'fine-tuned'].map((name) => loadModel('test/fixtures/tiny-bert', { name, prompts })),
  );
  const searching = await Promise.all(
    models.map(async (model) => ({
      model,
      documents: await windowedEmbedder(model, windows).embedDocuments(Object.values(corpus)),
    })),
  );
  const options = { folder, windows, windowTemperature: 0.05, question };
  const { html, text } = await renderSearchBox(corpus, searching, options);
  const read = (name: string) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));

  it('writes what the page needs: texts, their windows, vectors of a byte a number, models', async () => {
    const box = read('box.json');
    expect(box.corpus).toEqual(corpus);
    expect(box.windows.map((own: unknown[]) => own.length)).toEqual(
      Object.keys(corpus).map((_, i) => searching[0].documents.owners.filter((owner) => owner === i).length),
    );
    const [first, second] = box.windows[0].map(([start, end]: [number, number]) => corpus.b.slice(start, end));
    expect(first).toMatch(/^A river/);
    expect(second).not.toMatch(/^A river/);
    for (const { name, folder: at, dimensions, pooling } of box.models) {
      const { vectors } = searching.find(({ model }) => model.name === name)!.documents;
      const bytes = new Int8Array(fs.readFileSync(path.join(folder, at, 'vectors.int8')));
      expect([dimensions, bytes.length, pooling]).toEqual([vectors.columns, vectors.data.length, 'mean']);
      const [own, original] = [bytes.subarray(0, dimensions), vectors.data.subarray(0, dimensions)];
      expect(dot(own, original) / Math.sqrt(dot(own, own) * dot(original, original))).toBeGreaterThan(0.9999);
      for (const file of ['config.json', 'tokenizer.json', 'onnx/model_int8.onnx'])
        expect(fs.statSync(path.join(folder, at, file)).size).toBeGreaterThan(100);
    }
  });

  it('is still without script or server, small, and says why; texts are escaped', () => {
    const { document } = new JSDOM(html).window;
    expect(document.querySelector('[role="status"]')?.textContent).toMatch(/open this notebook in Jupyter Lab/);
    expect([...document.querySelectorAll('th')].map((head) => head.textContent)).toEqual([
      ...['base', 'fine-tuned', 'BM25', 'chunk'],
    ]);
    expect(document.querySelectorAll('img')).toHaveLength(0);
    expect(document.querySelector('caption')?.textContent).toBe(question);
    expect(document.querySelector('table')?.textContent).toContain(ATTACK);
    expect(html.length).toBeLessThan(30_000);
    expect(text).toContain('fine-tuned');
  });

  it('says so where the server does not give the files out, and writes none', async () => {
    for (const elsewhere of [path.join(os.tmpdir(), 'search-box-elsewhere'), path.join(folder, '.hidden')]) {
      const { html: still } = await renderSearchBox(corpus, searching, { ...options, folder: elsewhere });
      expect(still).toContain('be a folder below the project');
      expect(still).not.toContain('<script');
      expect(fs.existsSync(elsewhere)).toBe(false);
    }
  });

  it('refuses vectors of other windows', async () => {
    await expect(renderSearchBox(corpus, searching, { ...options, windows: { size: 8, stride: 4 } })).rejects.toThrow(
      '"base": its vectors are of other windows than 8/4',
    );
  });

  it('ranks as the notebook does', async () => {
    const { documents, model } = searching[1];
    const asked = await model.embedQueries([question]);
    const ids = Object.keys(corpus);
    const searcher = createSearcher(read('box.json'), { 'fine-tuned': documents.vectors as Matrix });
    const found = searcher.search(question, { 'fine-tuned': asked });
    const [expected] = rankByVectors(asked, documents, ids, { windowTemperature: 0.05 });
    expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    const keywords = new Bm25Index(corpus, { windows: BM25_WINDOWS }).rank([question])[0].map(({ id }) => id);
    for (const { id, ranks, window } of found) {
      expect(ranks.BM25).toBe(keywords.includes(id) ? keywords.indexOf(id) + 1 : null);
      const text = Object.keys(corpus).indexOf(id);
      const { vectors, owners } = documents;
      const cosines = [...owners.keys()]
        .filter((row) => owners[row] === text)
        .map((row) => dot(vectors.data.subarray(row * vectors.columns, (row + 1) * vectors.columns), asked.data));
      const [start, end] = read('box.json').windows[text][cosines.indexOf(Math.max(...cosines))];
      expect(window[1]).toBe(Object.values(corpus)[text].slice(start, end));
    }
    const neighbours = searcher.neighbours('b');
    expect(neighbours.map((other) => other.text).sort()).toEqual([corpus.a, corpus.c].sort());
    expect(neighbours[0].score).toBeGreaterThanOrEqual(neighbours[1].score);
  });

  it('shows what stands around a window, also where no spaces do', () => {
    const text = `${'海'.repeat(90)}\n\n${'港'.repeat(30)}灯台${'船'.repeat(90)}`;
    const own = { columns: 2, rows: 1, data: Float32Array.of(1, 0) };
    const searcher = createSearcher({ corpus: { text }, windows: [[[122, 124]]], windowTemperature: 0.05 }, { m: own });
    const [{ window }] = searcher.search('灯台', { m: own });
    expect(window).toEqual([`… ${'海'.repeat(48)}\n\n${'港'.repeat(30)}`, '灯台', `${'船'.repeat(80)} …`]);
  });

  describe('in a page', () => {
    afterEach(() => vi.unstubAllGlobals());

    /** A server's `files/`: those of the project, but for transformers.js, whose stand-in has one vector for all. */
    function serve(): string {
      const served = fs.mkdtempSync(path.join(os.tmpdir(), 'served-'));
      const packages = path.join(served, 'files', 'node_modules');
      const stand = path.join(packages, '@huggingface', 'transformers', 'dist', 'transformers.min.js');
      fs.mkdirSync(path.dirname(stand), { recursive: true });
      const vector = [...searching[0].documents.vectors.data.subarray(0, searching[0].documents.vectors.columns)];
      fs.writeFileSync(path.join(packages, 'package.json'), '{"type":"module"}');
      fs.writeFileSync(
        stand,
        'export const env = { backends: { onnx: { wasm: {} } } };\n' +
          `export const pipeline = async () => async (text) => {\n` +
          `  if (!text.startsWith('${prompts.query}')) throw new Error('no prompt before ' + text);\n` +
          `  return { data: Float32Array.from(${JSON.stringify(vector)}) };\n` +
          `};\n`,
      );
      for (const name of ['finetune-embedding', 'stemmer', 'stopword'])
        fs.symlinkSync(path.resolve('node_modules', name), path.join(packages, name));
      fs.symlinkSync(path.resolve('runs'), path.join(served, 'files', 'runs'));
      return served;
    }

    /** The page's program in this process. */
    async function open(body: string, base?: string) {
      const served = serve();
      onTestFinished(() => fs.rmSync(served, { recursive: true }));
      const { window } = new JSDOM(`<body ${base ?? `data-base-url="${pathToFileURL(served)}"`}>${body}</body>`);
      const asked: string[] = [];
      vi.stubGlobal('document', window.document);
      vi.stubGlobal('location', { href: 'http://127.0.0.1/lab' });
      vi.stubGlobal('fetch', async (address: string) => {
        asked.push(address);
        const file = new URL(address);
        return fs.existsSync(file) ? new Response(fs.readFileSync(file)) : new Response('', { status: 404 });
      });
      startBoxes(
        'node_modules/finetune-embedding/dist/extras/search-box/page.js',
        JSON.parse(/,(\{"stemmer".*?\})\)<\/script>/.exec(html)?.[1] as string),
      );
      const status = () => window.document.querySelector('[role="status"]')?.textContent ?? '';
      await vi.waitFor(() => expect(status()).toMatch(/Click into|stays still/)).catch(() => {});
      return { window, document: window.document, asked, status };
    }

    it('loads its program, its packages and the vectors, and waits for a question before it loads models', async () => {
      const { document, asked, status } = await open(html.replace(/<script.*/s, ''));
      expect(status()).toBe('Click into the field: then the models load into this page.');
      expect(document.querySelector('label input')?.getAttribute('placeholder')).toBe(question);
      expect(document.querySelectorAll('table')).toHaveLength(1); // what was found for the example
      expect(asked.filter((address) => /\.int8$/.test(address))).toHaveLength(2);
      expect(asked.some((address) => /onnx|\/(model|train)\//.test(address))).toBe(false);
    });

    it('ranks without TensorFlow, asks one question at a time, and shows neighbours', async () => {
      const { window, document, status } = await open(html.replace(/<script.*/s, ''));
      const input = document.querySelector('input')!;
      input.dispatchEvent(new window.Event('focus'));
      await vi.waitFor(() => expect(status()).toBe('Ready: type a question.'), 5000);
      for (const typed of ['bread', `bread ${ATTACK}`]) {
        input.value = typed;
        input.dispatchEvent(new window.Event('input'));
      }
      await vi.waitFor(() => expect(status()).toMatch(/^3 chunks, found in \d+ ms\.$/), 5000);
      expect(document.querySelector('caption')?.textContent).toContain(`“bread ${ATTACK}”`);
      // The stand-in's vector is that of the first text's first window.
      const [first, ...others] = [...document.querySelectorAll('tbody tr')];
      expect(first.querySelector('mark')?.textContent).toMatch(/^A river/);
      expect(others).toHaveLength(2);
      expect([...first.querySelectorAll('td')].slice(0, 2).map((cell) => cell.textContent)).toEqual(['1', '1']);
      const button = first.querySelector('button')!;
      button.click();
      expect(button.getAttribute('aria-expanded')).toBe('true');
      expect(first.querySelectorAll('li')).toHaveLength(2);
      button.click();
      expect(first.querySelectorAll('li')).toHaveLength(0);
      expect(document.querySelectorAll('img')).toHaveLength(0);
    });

    it('says what is missing, and stays as it was', async () => {
      const { document, status } = await open(
        html.replace(/<script.*/s, '').replace(/data-folder="[^"]*"/, 'data-folder="runs/nothing/"'),
      );
      expect(status()).toMatch(/The box stays still: .*runs\/nothing\/box\.json: 404/);
      expect(document.querySelectorAll('table')).toHaveLength(1);
    });

    it('leaves the still result where there is no Jupyter server', async () => {
      const { status, asked } = await open(html.replace(/<script.*/s, ''), '');
      expect(status()).toMatch(/open this notebook in Jupyter Lab/);
      expect(asked).toEqual([]);
    });
  });
});
