import fs from 'node:fs';
import { createSearchIndex, loadSearchModel, saveSearchIndex } from 'finetune-embedding/search';

const model = await loadSearchModel('exp_finetune');
const { corpus } = JSON.parse(fs.readFileSync('data/test_dataset.json', 'utf8')); // texts by id
const index = await createSearchIndex(model, corpus);
for (const { id, score, text, window } of await index.search('Who pays when a barrel is lost?', 3))
  console.log(score.toFixed(3), id, text.slice(...window));
saveSearchIndex(index, 'search_index'); // the next time: loadSearchIndex(model, 'search_index')
