// In: chunks, models and their windows' vectors. Out: files for a page, and an output in which one types and searches.
import path from 'node:path';
import { writeJson, writeWhole } from '../../common/files';
import { type Embeddings, int8Rows, type Matrix, normalizedRows } from '../../common/matrix';
import type { WindowSettings } from '../../common/windows';
import type { EmbeddingModel } from '../../model/embedding-model';
import { findProjectFolder } from '../../model/hub/locations';
import { copySettings } from '../../model/hub/model-folder';
import { exportOnnx } from '../../model/onnx/export';
import { storedWeights } from '../../model/save';
import { windowPlaces } from '../../model/word-spans';
import { escapeHtml } from '../../notebook/escape';
import { type Content, show } from '../../notebook/output';
import { renderTable } from '../../notebook/table';
import type { BoxFile } from './page';
import { createSearcher } from './searcher';

interface SearchBoxOptions {
  /** Where the page's files go, models included (some 23 MB each): a folder that Jupyter Lab serves. */
  folder: string;
  /** By which the vectors were made. */
  windows: WindowSettings;
  /** As in `rankByVectors`. */
  windowTemperature: number;
  /** Asked of all retrievers for the still picture, and the field's example. */
  question: string;
}

/** What one model brings: itself, and its vectors of the chunks' windows. */
interface Searching {
  model: EmbeddingModel;
  documents: Embeddings;
}

/** The page's program and its packages, below the Jupyter server's root, which is the project's folder. */
const PAGE = 'node_modules/finetune-embedding/dist/extras/search-box/page.js';
const PACKAGES = { stemmer: 'node_modules/stemmer/index.js', stopword: 'node_modules/stopword/dist/stopword.esm.mjs' };

/** A folder's address below the server's root; undefined where the server does not give it out. */
function servedAs(folder: string): string | undefined {
  const below = path.relative(findProjectFolder(), path.resolve(folder)).split(path.sep);
  // Jupyter serves nothing hidden; a way out of the root starts with "..", another drive with its letter.
  if (below.some((name) => name.startsWith('.')) || path.isAbsolute(below[0])) return undefined;
  return `${below.map(encodeURIComponent).join('/')}/`;
}

/** The model as transformers.js loads it. */
async function writeModel(model: EmbeddingModel, folder: string): Promise<void> {
  copySettings(model.folder, folder);
  const weights = storedWeights(model);
  await exportOnnx({ config: model.encoder.config, weights }, folder, 'int8');
}

/**
 * Runs in the reader's page, as source text: it can use nothing outside itself. Finds the boxes, and loads `./page`
 * with what it imports: the same compiled files that run in Node.
 */
export function startBoxes(page: string, packages: Record<string, string>): void {
  const config = document.getElementById('jupyter-config-data')?.textContent;
  const base: string | undefined = document.body.dataset.baseUrl ?? (config && JSON.parse(config).baseUrl);
  if (!base) return; // no Jupyter server: the still result says so
  const server = new URL(`${base.replace(/\/*$/, '/')}files/`, location.href).href;
  const loading = new Map<string, Promise<unknown>>();
  const load = (address: string): Promise<unknown> => {
    const known = loading.get(address) ?? loadNew(address);
    loading.set(address, known);
    return known;
  };
  const loadNew = async (address: string): Promise<unknown> => {
    const answer = await fetch(address, { cache: 'no-cache' });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    const source = await answer.text();
    const needed: Record<string, unknown> = {};
    for (const [, name] of source.matchAll(/require\("([^"]+)"\)/g)) {
      needed[name] = await (packages[name]
        ? import(server + packages[name])
        : load(new URL(`${name}.js`, address).href));
    }
    const exports = {};
    new Function('exports', 'require', source)(exports, (name: string) => needed[name]);
    return exports;
  };
  for (const box of document.querySelectorAll<HTMLElement>('.search-box:not([data-live])')) {
    box.dataset.live = 'true';
    (load(server + page) as Promise<typeof import('./page')>)
      .then(({ start }) => start(box, server, box.dataset.folder as string, (address) => import(address)))
      .catch((error) => {
        delete box.dataset.live;
        const advice = 'Run its cell, in a Jupyter Lab that was started in the project’s folder (npm run lab).';
        box.querySelector('[role="status"]')?.replaceChildren(`The box stays still: ${error.message}. ${advice}`);
      });
  }
}

/** The box as HTML and text, its files written: for {@link searchBox} and tests. */
export async function renderSearchBox(
  corpus: Record<string, string>,
  searching: Searching[],
  { folder, windows, windowTemperature, question }: SearchBoxOptions,
): Promise<Content> {
  const places = Object.values(corpus).map((text) => windowPlaces(searching[0].model.tokenizer, text, windows));
  const vectors: Record<string, Matrix> = {};
  const asked: Record<string, Matrix> = {};
  const models: BoxFile['models'] = [];
  const served = servedAs(folder);
  for (const { model, documents } of searching) {
    const { name, encoder } = model;
    if (documents.vectors.rows !== places.flat().length)
      throw new Error(
        `"${name}": its vectors are of other windows than ${windows.size}/${windows.stride}: pass theirs.`,
      );
    const rounded = int8Rows(normalizedRows(documents.vectors));
    vectors[name] = normalizedRows(rounded);
    asked[name] = await model.embedQueries([question]);
    const at = name.replace(/[^\w-]+/g, '_');
    const prompt = model.prompts.query;
    models.push({ name, folder: at, dimensions: rounded.columns, pooling: encoder.pooling.mode, prompt });
    if (!served) continue;
    await writeModel(model, path.join(folder, at));
    writeWhole(path.join(folder, at, 'vectors.int8'), new Uint8Array(rounded.data.buffer));
  }
  const file: BoxFile = { corpus, windows: places, windowTemperature, models, question };
  if (served) writeJson(path.join(folder, 'box.json'), file);

  const searcher = createSearcher(file, vectors);
  const rows = searcher.search(question, asked).map(({ ranks, window }) => ({ ...ranks, chunk: window.join('') }));
  const still = renderTable(rows, { caption: question });
  const why = served
    ? 'To ask a question of your own, open this notebook in Jupyter Lab (npm run lab): the models then run in the page.'
    : `To ask a question of your own, let ${folder} be a folder below the project's, which Jupyter's server gives out, ` +
      'and not hidden: the models then run in the page.';
  const html =
    `<div class="search-box" data-folder="${served ?? ''}"><p role="status"><em>${escapeHtml(why)} ` +
    `Until then, this is what they find for one.</em></p>${still.html}</div>`;
  const call = `(${startBoxes.toString().replace(/\n\s+/g, '\n')})(${JSON.stringify(PAGE)},${JSON.stringify(PACKAGES)})`;
  return { html: served ? `${html}\n<script>${call}</script>` : html, text: still.text };
}

/**
 * Shows a search box: where Jupyter's server and scripts run, one types a question, and the ranks of each model and of
 * BM25 follow, with the window that fits best marked in each chunk. The models run in the reader's page; the kernel is
 * not asked. Elsewhere the output is what `question` finds. Texts are escaped.
 *
 * @param searching each model with its vectors by windows; results are ordered by the last one's at first
 * @throws Error if vectors and windows don't belong together
 */
export async function searchBox(
  corpus: Record<string, string>,
  searching: Searching[],
  options: SearchBoxOptions,
): Promise<void> {
  show(await renderSearchBox(corpus, searching, options));
}
