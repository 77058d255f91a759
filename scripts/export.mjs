// npm run export -- FORMAT: the trained model in another format or on the Hub, or the datasets as others read them.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
// By their files, not by the package's entries: those start TensorFlow.
import { readDataset } from 'finetune-embedding/dist/dataset/dataset-files.js';
import { writeBeir, writeJsonl } from 'finetune-embedding/dist/extras/export/dataset-layouts.js';
import { writeGguf } from 'finetune-embedding/dist/extras/export/gguf.js';
import { filesToPush, pushToHub } from 'finetune-embedding/dist/extras/export/push-to-hub.js';

const USAGE = `npm run export -- FORMAT

  gguf [--f32]      for llama.cpp and Ollama, its weights in 16 bits, or in 32
  hub OWNER/NAME [--public] [--yes]
                    the model and its card, to the Hugging Face Hub; private unless --public. Shows what it would send,
                    and sends it with --yes, with the token in HF_TOKEN
  jsonl             train and val as sentence-transformers' trainer reads them
  beir              train, dev and test in BEIR's layout, each in a folder of its own

  --model FOLDER    the model (exp_finetune)    --data FOLDER    of train_dataset.json, … (data)
  --out FOLDER      where files go (results/export)`;

const inBytes = ({ size }) => `${size.toLocaleString('en')} bytes`;

/** What `write` says of each dataset that is there. */
async function eachDataset(folder, splits, write) {
  const files = splits.map((split) => [split, path.join(folder, `${split}_dataset.json`)]);
  const found = files.filter(([, file]) => fs.existsSync(file));
  if (found.length === 0) throw new Error(`${folder} holds no dataset: run the notebook generate_dataset first.`);
  for (const [split, file] of found) console.log(write(split, await readDataset(file)));
}

const FORMATS = {
  async gguf({ model, out, f32 }) {
    const file = path.join(out, `${path.basename(path.resolve(model))}-${f32 ? 'F32' : 'F16'}.gguf`);
    await writeGguf(model, file, f32 ? 32 : 16);
    console.log(`${file}  ${inBytes(fs.statSync(file))}`);
  },
  async hub({ model, public: isPublic, yes }, repo) {
    if (!/^[\w.-]+\/[\w.-]+$/.test(repo ?? '')) throw new Error('Name the repository: hub OWNER/NAME.');
    for (const file of await filesToPush(model)) console.log(`${inBytes(file).padStart(20)}  ${file.path}`);
    console.log(`${model} → ${repo}, ${isPublic ? 'PUBLIC: anyone can read it' : 'private'}`);
    if (!yes) return console.log('Nothing was sent. To send it, run this again with --yes.');
    const token = process.env.HF_TOKEN;
    if (!token) throw new Error('HF_TOKEN is not set: huggingface.co/settings/tokens makes one; it needs to write.');
    console.log(`Sent: ${await pushToHub(model, repo, token, isPublic)}`);
  },
  jsonl: ({ data, out }) =>
    eachDataset(data, ['train', 'val'], (split, dataset) => {
      const written = writeJsonl(path.join(out, `${split}.jsonl`), dataset);
      return written.map(({ file, lines }) => `${file}  ${lines} lines`).join('\n');
    }),
  beir: ({ data, out }) =>
    eachDataset(data, ['train', 'val', 'test'], (split, dataset) => {
      const name = split === 'val' ? 'dev' : split;
      writeBeir(path.join(out, 'beir', name), name, dataset);
      return `${path.join(out, 'beir', name)}  ${Object.keys(dataset.queries).length} queries`;
    }),
};

try {
  const flag = { type: 'boolean', default: false };
  const folder = (name) => ({ type: 'string', default: name });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ f32: flag, public: flag, yes: flag },
      ...{ model: folder('exp_finetune'), data: folder('data'), out: folder('results/export') },
    },
  });
  if (!Object.hasOwn(FORMATS, positionals[0] ?? '')) throw new Error(USAGE);
  await FORMATS[positionals[0]](values, ...positionals.slice(1));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
