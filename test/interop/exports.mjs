// What npm run export writes, in what reads it: the model as GGUF in llama.cpp (through node-llama-cpp), the datasets in
// sentence-transformers' trainer and in BEIR. Out: checks for the report, and what llama.cpp does otherwise, printed.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import extras from 'finetune-embedding/extras';
import { PYTHON } from '../../scripts/scale/venv.mjs';
import { run } from '../../scripts/setup/steps.mjs';

/** Installed here alone: its binaries are large, and no notebook needs them. */
const LLAMA = path.resolve('.cache/node-llama-cpp');
const LLAMA_VERSION = '3.21.1';
/** Of 1 - cosine: llama.cpp computes GELU from a table of 16-bit floats. */
const COSINE_TOLERANCE = 1e-4;
const OTHERWISE = {
  'a text longer than the model reads': 'long '.repeat(600),
  'an empty text': '',
  "a special token's name in a text": 'Where does [SEP] stand?',
};

async function startLlama() {
  const folder = path.join(LLAMA, 'node_modules', 'node-llama-cpp');
  if (!fs.existsSync(folder)) {
    console.log(
      `Installing node-llama-cpp ${LLAMA_VERSION} into ${path.relative('.', LLAMA)}, once (730 MB on Linux).`,
    );
    fs.mkdirSync(LLAMA, { recursive: true });
    fs.writeFileSync(path.join(LLAMA, 'package.json'), '{ "private": true }\n');
    const packages = ['--no-save', '--ignore-scripts', '--no-audit', `node-llama-cpp@${LLAMA_VERSION}`];
    await run(['npm', 'install', ...packages], { cwd: LLAMA });
  }
  const { getLlama } = await import(pathToFileURL(path.join(folder, 'dist/index.js')));
  return getLlama({ build: 'never', logLevel: 'error' });
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** The cosine of the vectors of each text, here and in llama.cpp. */
async function llamaCosines(model, context, texts) {
  const { data, columns } = await model.embedQueries(texts);
  const cosines = [];
  for (const [i, text] of texts.entries()) {
    const { vector } = await context.getEmbeddingFor(text);
    cosines.push(
      vector.length ? cosine(Array.from(vector), data.subarray(i * columns, (i + 1) * columns)) : 'no vector',
    );
  }
  return cosines;
}

/**
 * @param model loaded from the files in `folder`, or just saved there
 * @returns [what, difference, tolerance] of each check
 */
export async function checkExports(model, folder, data, out) {
  const fits = (text) => model.tokenizer.encodeWhole(text).length < model.maxSeqLength - 2;
  const texts = [...Object.values(data.queries).slice(0, 10), ...Object.values(data.corpus).map(firstWords)].slice(
    0,
    18,
  );
  texts.push('Café NAÏVE Ångström — “3.5%” … 東京 is 漢字', 'a\tb\n c  d');
  if (!texts.every(fits)) throw new Error('A text is longer than the model reads.');
  const llama = await startLlama();
  const checks = [];
  for (const bits of [16, 32]) {
    const file = path.join(out, `model-F${bits}.gguf`);
    await extras.writeGguf(folder, file, bits);
    const loaded = await llama.loadModel({ modelPath: file });
    const context = await loaded.createEmbeddingContext({ threads: 1 }); // more wait for each other where others work
    const cosines = await llamaCosines(model, context, texts);
    checks.push([
      `GGUF of ${bits} bits in llama.cpp, 1 - cosine, ${texts.length} texts`,
      1 - Math.min(...cosines),
      COSINE_TOLERANCE,
    ]);
    const { vector } = await context.getEmbeddingFor(texts[0]);
    console.log(
      `GGUF of ${bits} bits in node-llama-cpp: vectors of length ${Math.hypot(...vector).toFixed(2)}, not 1; and`,
    );
    for (const [what, text] of Object.entries(OTHERWISE)) {
      const seen = await llamaCosines(model, context, [text]).catch((error) => [error.message]);
      console.log(`  ${what}: ${typeof seen[0] === 'number' ? `a cosine of ${seen[0].toFixed(2)}` : seen[0]}`);
    }
    await loaded.dispose();
  }
  const ids = Object.keys(data.queries);
  const [first, second] = Object.keys(data.corpus);
  const other = (id) => (data.relevantDocs[id].includes(first) ? second : first);
  const hardNegatives = Object.fromEntries(ids.slice(0, 20).map((id) => [id, [other(id)]]));
  extras.writeJsonl(path.join(out, 'train.jsonl'), { ...data, hardNegatives });
  extras.writeBeir(path.join(out, 'beir'), 'test', data);
  fs.writeFileSync(path.join(out, 'expected.json'), JSON.stringify({ ...data, hardNegatives }));
  const quiet = { HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error', TQDM_DISABLE: '1' };
  console.log(await run([PYTHON, 'test/interop/exports.py', out], { env: quiet }));
  return checks;
}

const firstWords = (text) => text.split(/\s+/).slice(0, 150).join(' ');
