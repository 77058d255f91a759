import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { figureSvg, renderFigure } from 'finetune-embedding/dist/notebook/figure.js';
import { PLOTLY_CDN, PLOTLY_INTEGRITY } from 'finetune-embedding/dist/notebook/figure-page.js';
import type { Layout, Trace } from 'finetune-embedding/dist/notebook/theme.js';
import { modelColor } from 'finetune-embedding/dist/notebook/theme.js';
import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';

const require = createRequire(path.resolve('package.json'));
const line: Trace = { type: 'scatter', mode: 'lines+markers', name: 'base', x: [1, 2, 3], y: [0.2, 0.4, 0.8] };
const layout: Layout = { xaxis: { title: { text: 'step' } }, yaxis: { title: { text: 'loss' } }, showlegend: true };

const parse = (svg: string): Document => new JSDOM(svg, { contentType: 'image/svg+xml' }).window.document;
const texts = (svg: Document): string[] => [...svg.querySelectorAll('text')].map((node) => node.textContent ?? '');

/** Where a text is drawn, from its own and its ancestors' translations. */
function place(svg: Document, text: string): { x: number; y: number } {
  const node = [...svg.querySelectorAll('text')].find((candidate) => candidate.textContent === text);
  if (!node) throw new Error(`no text "${text}"`);
  let [x, y] = [Number(node.getAttribute('x')), Number(node.getAttribute('y'))];
  for (let at: Element | null = node; at; at = at.parentElement) {
    const moved = /translate\(([-\d.]+)[ ,]?([-\d.]*)\)/.exec(at.getAttribute('transform') ?? '');
    if (moved) [x, y] = [x + Number(moved[1]), y + Number(moved[2])];
  }
  return { x, y };
}

describe('the still picture', () => {
  it('holds title, axis titles, tick labels, legend and points, each in its place', async () => {
    const text = await figureSvg([line], layout, { title: 'Loss & <score>' });
    const svg = parse(text);
    expect(svg.documentElement.getAttribute('width')).toBe('760');
    for (const expected of ['Loss & <score>', 'step', 'loss', 'base', '1', '2', '3', '0.2', '0.4', '0.6', '0.8']) {
      expect(texts(svg)).toContain(expected);
    }
    expect(text.match(/a3 3 0 1 1/g)).toHaveLength(4); // three points and the legend's
    const [title, step, tick1, tick3] = ['Loss & <score>', 'step', '1', '3'].map((name) => place(svg, name));
    expect(title.y).toBeLessThan(50);
    expect(tick1.x).toBeLessThan(tick3.x);
    expect(tick1.y).toBe(tick3.y);
    expect(step.y).toBeGreaterThan(tick1.y + 10);
    expect(step.y).toBeLessThan(400);
    expect(place(svg, '0.8').y).toBeLessThan(place(svg, '0.2').y);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('is given up without a word when the kernel that asked for it was killed meanwhile', () => {
    const kernel = `
      const still = require('node:child_process').fork(process.argv[1], { serialization: 'advanced' });
      still.send(${JSON.stringify([[line], { ...layout, height: 400 }])}, () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200));`;
    const file = require.resolve('finetune-embedding/dist/notebook/still-picture.js');
    // Ends once both processes have closed their output.
    const { signal, stderr } = spawnSync(process.execPath, ['-e', kernel, file], { encoding: 'utf8' });
    expect(signal).toBe('SIGKILL');
    expect(stderr).toBe('');
  });

  it('is transparent and draws texts in a colour that both themes can show', async () => {
    const text = await figureSvg([line], layout, { title: 'T' });
    expect(text).toMatch(/#777\b/);
    expect(text).not.toMatch(/fill:\s*(#fff|white)/);
  });

  it('widens the margin for long labels on the axis', async () => {
    const bars = (name: string): Trace => ({ type: 'bar', orientation: 'h', x: [1, 2], y: [name, 'b'] });
    const [short, long] = await Promise.all(
      ['a', 'a category with quite a long name'].map(async (name) =>
        place(parse(await figureSvg([bars(name)], {}, { title: 'T' })), name),
      ),
    );
    expect(long.x).toBeGreaterThan(short.x + 80);
  });

  it('joins many like points into one path that still holds each', async () => {
    const count = 500;
    const x = Array.from({ length: count }, (_, i) => i);
    const text = await figureSvg(
      [{ type: 'scatter', mode: 'markers', x, y: x.map((v) => (v * 7) % 50) }],
      {},
      { title: 'T' },
    );
    expect(text.match(/h0/g)).toHaveLength(count);
    expect(text.length).toBeLessThan(15_000);
  });

  it('paints a heat map, one pixel a cell', async () => {
    const text = await figureSvg(
      [
        {
          type: 'heatmap',
          z: [
            [0, 1, 2],
            [3, 4, 5],
          ],
        },
      ],
      {},
      { title: 'T' },
    );
    const png = Buffer.from(/data:image\/png;base64,([^"]+)/.exec(text)?.[1] ?? '', 'base64');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([3, 2]);
    // The colour bar's gradient, and every other definition that is referred to, is there.
    const svg = parse(text);
    const used = [...text.matchAll(/url\((?:&quot;|["'])?#([\w-]+)/g)].map(([, id]) => id);
    expect(used.length).toBeGreaterThan(1);
    expect(used.filter((id) => !svg.getElementById(id))).toEqual([]);
    expect(svg.querySelectorAll('linearGradient stop').length).toBeGreaterThan(5);
  });
});

describe('the process that draws', () => {
  const script = (code: string) => {
    const draw = `const { figureSvg } = require('finetune-embedding/dist/notebook/figure.js');
      const svg = (y) => figureSvg([{ type: 'scatter', y }], {}, { title: 'T' });
      const children = require('node:child_process');
      const { fork } = children;
      let child;
      children.fork = (...options) => (child = fork(...options));
      const isThere = () => child.exitCode === null && child.signalCode === null;
      (async () => { ${code} })();`;
    return execFileSync(process.execPath, ['-e', draw], { encoding: 'utf8' }).trim().split('\n');
  };

  it('ends when there is nothing to draw, and starts again', () => {
    const code = `await svg([1, 2]); console.log(isThere());
      await new Promise((resolve) => setTimeout(resolve, 2500)); console.log(isThere());
      console.log((await svg([1, 2])).startsWith('<svg'));`;
    expect(script(code)).toEqual(['true', 'false', 'true']);
  });

  it('is none that a process waits for', () => {
    const code = `await svg([1, 2]); const at = Date.now();
      process.on('exit', () => console.log(Date.now() - at < 1500));`;
    expect(script(code)).toEqual(['true']);
  });
});

describe('the output', () => {
  it('stays under 100 KB: thins the points and says so', async () => {
    const x = Array.from({ length: 20_000 }, (_, i) => i);
    const y = x.map((v) => Math.sin(v / 50));
    const { html } = await renderFigure([{ type: 'scatter', mode: 'lines', x, y }], {}, { title: 'T', caption: 'C.' });
    expect(JSON.stringify(html).length).toBeLessThanOrEqual(100_000);
    expect(html).toMatch(/C\. One point in \d+ is drawn, to keep the notebook small\./);
  });

  it('refuses what cannot be made small enough', async () => {
    const trace = { ...line, text: ['x'.repeat(200_000), '', ''] };
    await expect(renderFigure([trace], {}, { title: 'Too much' })).rejects.toThrow(/"Too much" takes more than 100 KB/);
  });

  it('has the same bytes for the same content, but an id of its own for each output', async () => {
    const unique: Trace = { ...line, name: 'unique to this test' };
    const first = (await renderFigure([unique], layout, { title: 'T' })).html;
    const second = (await renderFigure([unique], layout, { title: 'T' })).html;
    const id = (html: string): string => /<div id="([^"]+)"/.exec(html)?.[1] ?? '';
    expect(id(second)).toBe(`${id(first)}-2`);
    expect(second.replaceAll(id(second), id(first))).toBe(first);
  });

  it('prints a line in plain Node', async () => {
    expect((await renderFigure([{ ...line, name: 'a &lt;b&gt;' }], layout, { title: 'Title' })).text).toBe(
      '[figure] Title: a <b> (3 values)',
    );
  });
});

describe('in a page', () => {
  interface Drawn {
    traces: { name: string }[];
    layout: { title: { text: string } };
  }

  /** Runs the figures' HTML in a page that has no network: asked-for scripts are recorded, Plotly is a stub. */
  async function open(html: string, page: { body?: string; found?: boolean; plotly?: boolean } = {}) {
    const asked: HTMLScriptElement[] = [];
    const drawn: Drawn[] = [];
    const plotly = {
      react: async (node: Element, traces: Drawn['traces'], drawnLayout: Drawn['layout']) => {
        drawn.push({ traces, layout: drawnLayout });
        node.className = 'js-plotly-plot';
      },
      Plots: { resize: () => {} },
    };
    const { window } = new JSDOM(`<head></head><body ${page.body ?? ''}>${html}</body>`, {
      runScripts: 'dangerously',
      beforeParse(win) {
        Object.assign(win, {
          ResizeObserver: class {
            observe() {}
          },
          Plotly: page.plotly ? plotly : undefined,
        });
        win.Element.prototype.append = function (node: Node | string) {
          const script = node as HTMLScriptElement;
          if (!script.src) return void this.appendChild(script);
          asked.push(script);
          const here = page.found !== false || Boolean(script.integrity);
          setTimeout(() => {
            if (here) Object.assign(win, { Plotly: plotly });
            if (here) script.onload?.(new win.Event('load'));
            else script.onerror?.('');
          });
        };
      },
    });
    await (window as unknown as { embeddingFigures: { loading: Promise<unknown> } }).embeddingFigures.loading;
    await new Promise((resolve) => setImmediate(resolve)); // the figures' own continuations
    return { document: window.document, asked, drawn };
  }

  it('shows the still picture where no script runs', async () => {
    const { html } = await renderFigure([line], layout, { title: 'No "script"', caption: 'How to <read>' });
    const document = new JSDOM(html).window.document;
    const image = document.querySelector('img');
    expect(image?.alt).toBe('No "script"');
    expect(texts(parse(Buffer.from(image?.src.split(',')[1] ?? '', 'base64').toString()))).toContain('step');
    expect(document.querySelector('em')?.textContent).toBe('How to <read>');
  });

  it('loads Plotly once from the Jupyter server and draws each figure in place of its picture', async () => {
    const figures = await Promise.all(
      ['one', 'two'].map((name) => renderFigure([{ ...line, name: `${name} </script><b>` }], layout, { title: name })),
    );
    const { document, asked, drawn } = await open(figures.map(({ html }) => html).join(''), {
      body: 'data-base-url="/hub/me/"',
    });
    expect(asked.map((script) => script.getAttribute('src'))).toEqual([
      '/hub/me/files/node_modules/plotly.js-dist/plotly.js',
    ]);
    expect(drawn.map(({ traces }) => traces[0].name)).toEqual(['one </script><b>', 'two </script><b>']);
    expect(drawn[0].layout.title.text).toBe('<b>one</b>');
    expect(document.querySelectorAll('.js-plotly-plot')).toHaveLength(2);
    expect(document.querySelectorAll('img')).toHaveLength(0);
  });

  it("takes the base address from JupyterLab's configuration", async () => {
    const { html } = await renderFigure([line], layout, { title: 'T' });
    const config =
      '<script id="jupyter-config-data" type="application/json">{"baseUrl":"/lab-root/","token":"secret"}</script>';
    const { asked } = await open(config + html);
    expect(asked.map((script) => script.getAttribute('src'))).toEqual([
      '/lab-root/files/node_modules/plotly.js-dist/plotly.js',
    ]);
  });

  it('falls back to the pinned CDN file, checked by its hash', async () => {
    const { html } = await renderFigure([line], layout, { title: 'T' });
    const elsewhere = await open(html);
    expect(elsewhere.asked.map(({ src, integrity }) => [src, integrity])).toEqual([[PLOTLY_CDN, PLOTLY_INTEGRITY]]);
    const missing = await open(html, { body: 'data-base-url="/"', found: false });
    expect(missing.asked.map(({ src, integrity }) => [src, integrity]).at(-1)).toEqual([PLOTLY_CDN, PLOTLY_INTEGRITY]);
    expect(missing.asked).toHaveLength(2);
    expect(missing.drawn).toHaveLength(1);
  });

  it('loads nothing where a page has Plotly already', async () => {
    const { html } = await renderFigure([line], layout, { title: 'T' });
    const { asked, drawn } = await open(html, { plotly: true });
    expect([asked.length, drawn.length]).toEqual([0, 1]);
  });

  it('pins the CDN file to the installed version', () => {
    const { version } = require('plotly.js-dist/package.json');
    const hash = createHash('sha384')
      .update(readFileSync(require.resolve('plotly.js-dist')))
      .digest('base64');
    expect(PLOTLY_CDN).toContain(`plotly.js-dist@${version}/`);
    expect(PLOTLY_INTEGRITY).toBe(`sha384-${hash}`);
  });
});

describe('modelColor', () => {
  it('keeps one colour a model, whatever it is called in a notebook', () => {
    expect(new Set(['fine-tuned', 'finetuned', 'Fine-tuned'].map(modelColor)).size).toBe(1);
    expect(new Set(['OpenAI', 'text-embedding-3-small'].map(modelColor)).size).toBe(1);
    expect(new Set(['base', 'fine-tuned', 'OpenAI', 'BM25'].map(modelColor)).size).toBe(4);
    expect(modelColor('my-model')).toBe(modelColor('my-model'));
  });
});
