// In: the address of a search box's files. Out: the box, alive in the reader's page, where ./search-box loads it.
import type { FeatureExtractionPipeline } from '@huggingface/transformers';
import { type Matrix, normalizedRows } from '../../common/matrix';
import type { PoolingConfig } from '../../model/config';
import { shorten } from '../../notebook/escape';
import { modelColor } from '../../notebook/theme';
import { createSearcher, type Found, type Searched } from './searcher';

/** What a page is told of a box, in `box.json`. */
export interface BoxFile extends Searched {
  models: { name: string; folder: string; dimensions: number; pooling: PoolingConfig['mode']; prompt: string }[];
  /** The field's example. */
  question: string;
}

/** Milliseconds without a key until a question is asked. */
const PAUSE = 250;
const TRANSFORMERS = 'node_modules/@huggingface/transformers/dist/transformers.min.js';
const WASM = 'node_modules/onnxruntime-web/dist/';

/** An element with texts and elements in it; texts are never read as HTML. */
function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

async function get(address: string): Promise<Response> {
  const answer = await fetch(address, { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${answer.statusText}`);
  return answer;
}

/** The models, in the page: question → its vector by model. */
async function loadModels(
  { env, pipeline }: typeof import('@huggingface/transformers'),
  server: string,
  folder: string,
  models: BoxFile['models'],
  say: (text: string) => void,
) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = new URL(server + folder).pathname; // at a whole address, transformers.js finds no tokenizer
  env.useBrowserCache = false; // a model that was trained again would be served as it was
  Object.assign(env.backends.onnx.wasm as object, { wasmPaths: server + WASM, numThreads: 1 });
  const loaded: FeatureExtractionPipeline[] = [];
  for (const { name, folder: at } of models) {
    say(`Loading ${name} …`);
    loaded.push(await pipeline('feature-extraction', at, { dtype: 'int8', device: 'wasm' }));
  }
  return async (question: string): Promise<Record<string, Matrix>> => {
    const asked: Record<string, Matrix> = {};
    for (const [i, { name, pooling, dimensions, prompt }] of models.entries()) {
      const { data } = await loaded[i](prompt + question, { pooling });
      asked[name] = { data: data as Float32Array, rows: 1, columns: dimensions };
    }
    return asked;
  };
}

/**
 * Puts the live box into `box`, in place of the still one.
 * @param server address of the Jupyter server's files, with a slash at its end
 * @param folder the box's files there, likewise
 * @param load imports a module by its address
 */
export async function start(
  box: HTMLElement,
  server: string,
  folder: string,
  load: (address: string) => Promise<unknown>,
): Promise<void> {
  const file = (await (await get(`${server}${folder}box.json`)).json()) as BoxFile;
  const vectors: Record<string, Matrix> = {};
  for (const { name, folder: at, dimensions: columns } of file.models) {
    const data = new Int8Array(await (await get(`${server}${folder}${at}/vectors.int8`)).arrayBuffer());
    vectors[name] = normalizedRows({ data, rows: data.length / columns, columns });
  }
  const searcher = createSearcher(file, vectors);
  const input = make('input', { type: 'search', placeholder: file.question, autocomplete: 'off', spellcheck: 'false' });
  const label = make('label', {}, `Ask ${file.windows.length} chunks: `, input);
  const status = make('p', { role: 'status' }, 'Click into the field: then the models load into this page.');
  const results = make('div', {}, ...box.querySelectorAll('table'));
  box.replaceChildren(make('style', {}, STYLE), label, status, results);
  box.setAttribute('data-lm-suppress-shortcuts', 'true'); // keys are for the field, not for Jupyter

  const say = (text: string): void => status.replaceChildren(text);
  let models: ReturnType<typeof loadModels> | undefined;
  const ask = async (): Promise<void> => {
    try {
      const transformers = (await load(server + TRANSFORMERS)) as typeof import('@huggingface/transformers');
      models ??= loadModels(transformers, server, folder, file.models, say);
      const embed = await models;
      const question = input.value.trim();
      if (!question) return say('Ready: type a question.');
      const began = performance.now();
      const found = searcher.search(question, await embed(question));
      results.replaceChildren(table(question, found));
      say(`${found.length} chunks, found in ${Math.round(performance.now() - began)} ms.`);
    } catch (error) {
      models = undefined;
      say(`The models do not run here: ${(error as Error).message}`);
    }
  };
  // One after another: a model answers one question at a time.
  let latest: ReturnType<typeof setTimeout>;
  let asking = Promise.resolve();
  const askAfter = (pause: number) => () => {
    clearTimeout(latest);
    latest = setTimeout(() => {
      asking = asking.then(ask);
    }, pause);
  };
  input.addEventListener('focus', askAfter(0), { once: true });
  input.addEventListener('input', askAfter(PAUSE));

  function table(question: string, found: Found[]): HTMLElement {
    const names = [...file.models.map(({ name }) => name), 'BM25'];
    const heads = names.map((name) =>
      make('th', { scope: 'col', style: `border-bottom:3px solid ${modelColor(name)};white-space:nowrap` }, name),
    );
    const rows = found.map((one) =>
      make('tr', {}, ...names.map((name) => make('td', {}, String(one.ranks[name] ?? '–'))), chunk(one)),
    );
    const caption =
      `The first three of each for “${question}”, and their places by the others. ` +
      'Click a chunk for its neighbours.';
    const head = make('thead', {}, make('tr', {}, ...heads, make('th', { scope: 'col' }, 'chunk')));
    return make('table', {}, make('caption', {}, caption), head, make('tbody', {}, ...rows));
  }

  function chunk({ id, window: [before, best, after] }: Found): HTMLElement {
    const button = make('button', { 'aria-expanded': 'false' }, before, make('mark', {}, best), after);
    const cell = make('td', {}, button);
    button.addEventListener('click', () => {
      const open = button.getAttribute('aria-expanded') === 'false';
      button.setAttribute('aria-expanded', String(open));
      if (!open) return cell.lastChild?.remove();
      const nearest = searcher.neighbours(id);
      const items = nearest.map(({ text, score }) => make('li', {}, `${score.toFixed(2)} ${shorten(text, 240)}`));
      cell.append(make('div', {}, 'Its neighbours:', make('ul', {}, ...items)));
    });
    return cell;
  }
}

// Jupyter's own rules for tables are as specific as these.
const STYLE = `
.search-box :is(th, td, button, caption) { text-align: left !important; vertical-align: top }
.search-box table { width: 100%; table-layout: auto }
.search-box input { width: min(36em, 70%); padding: .4em .6em; border: 1px solid rgba(128,128,128,.6) }
.search-box :is(input, button, mark) { font: inherit; color: inherit; background: none }
.search-box button { border: 0; padding: 0; cursor: pointer }
.search-box mark { background: rgba(230,159,0,.35) }
`;
