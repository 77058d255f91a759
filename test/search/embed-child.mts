// Run by lance-index.test.ts in a process of its own: embeds a corpus until it is killed.
import { embedCorpus, LanceIndex } from 'finetune-embedding/search';

// Node wants the name whole, which the compiler refuses.
const { corpus, embedderOf } = await import(String(new URL('./lance-corpus.ts', import.meta.url)));
const [folder] = process.argv.slice(2);
const model = embedderOf(() => new Promise((resolve) => setTimeout(resolve, 100)));
const index = await LanceIndex.open(folder);
await embedCorpus(model, corpus, index, { batchSize: 10, onProgress: console.log });
