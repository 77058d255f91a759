// A search without TensorFlow: indexes a corpus, saves the index, loads it, and asks it questions.
// In: folder of the model, corpus and questions as JSON, words or not. Out: what was found, on standard output.
const fs = require('node:fs');
const path = require('node:path');
const { createSearchIndex, loadSearchIndex, loadSearchModel, saveSearchIndex } = require('finetune-embedding/search');

async function main([folder, file, words]) {
  const { corpus, questions } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const model = await loadSearchModel(folder);
  const created = await createSearchIndex(model, corpus, { words: words === 'words' });
  const at = path.join(path.dirname(file), `index-${words}`);
  saveSearchIndex(created, at);
  const found = [];
  for (const index of [created, loadSearchIndex(model, at)])
    found.push(await Promise.all(questions.map((question) => index.search(question, Infinity))));
  const loaded = Object.keys(require.cache).filter((name) => /tensorflow|tfjs/.test(name));
  console.log(JSON.stringify({ found, loaded, files: fs.readdirSync(at) }));
}
main(process.argv.slice(2));
