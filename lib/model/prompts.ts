// In: a model folder, a model's name, settings. Out: what is put before each question and each document.
import path from 'node:path';
import { ModelJson } from './model-json';

/** Put before each text that is embedded; '' where nothing is. */
export interface Prompts {
  query: string;
  document: string;
}

/** Where sentence-transformers keeps what a model says of itself. */
export const ABOUT = 'config_sentence_transformers.json';
/** As a setting: what the model was trained with. */
const AUTO = 'auto';

/** What models were trained with whose folders do not say it, by the last part of their names. */
const KNOWN: [name: RegExp, query: string, document: string][] = [
  // Wang et al. 2022, "Text Embeddings by Weakly-Supervised Contrastive Pre-training"; 2024, "Multilingual E5"
  [/^(multilingual-)?e5-(small|base|large)(-v2)?$/i, 'query: ', 'passage: '],
  // Xiao et al. 2023, "C-Pack: Packed Resources For General Chinese Embeddings"
  [/^bge-(small|base|large)-en(-v1\.5)?$/i, 'Represent this sentence for searching relevant passages: ', ''],
];

/**
 * The prompts chosen, else those that the folder gives, else those known by the model's name, else none.
 *
 * Of a folder's, sentence-transformers documents `encode_query` to take `query`, and `encode_document` the first of
 * `document`, `passage` and `corpus`; else the default is meant. (Its version 6.2 in fact takes an empty prompt where
 * there is no `query` or `document`; a model saved here has both.)
 *
 * @param name by which the model was asked for: a Hub's, or a folder
 * @param chosen 'auto': as if nothing were
 * @throws Error naming the file if its prompts are no texts, or lack the default
 */
export function readPrompts(folder: string, name = folder, chosen: Prompts = { query: AUTO, document: AUTO }): Prompts {
  const json = new ModelJson(folder, ABOUT, true);
  const areTexts = (value?: object) => Object.values(value ?? {}).every((text) => typeof text === 'string');
  const said = json.expect<Record<string, string>>('prompts', areTexts, 'texts by name');
  const given = new Map(Object.entries(said ?? {}));
  const fallback = (json.at('default_prompt_name') ?? '') as string;
  if (fallback && !given.has(fallback)) throw json.error(`default_prompt_name is "${fallback}", none of its prompts`);
  const first = (...names: string[]) => given.get([...names, fallback].find((one) => given.has(one)) ?? '') ?? '';
  let [query, document] = [first('query'), first('document', 'passage', 'corpus')];
  const known = KNOWN.find(([names]) => names.test(path.basename(name)));
  if (known && given.size === 0) [, query, document] = known;
  const decided = (choice: string, own: string) => (choice === AUTO ? own : choice);
  return { query: decided(chosen.query, query), document: decided(chosen.document, document) };
}
