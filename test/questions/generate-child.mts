// Run by kill.test.ts in a process of its own: generates questions until it is killed.
import { createLlmGenerator } from 'finetune-embedding/dist/questions/llm-generator.js';

const [baseURL, cacheDir, count] = process.argv.slice(2);
const chunks = Array.from({ length: Number(count) }, (_, i) => ({ id: `c${i}`, text: `Chapter${i} tells of ${i}.` }));
await createLlmGenerator({ model: 'm', baseURL, cacheDir }).generate(chunks, { questionsPerChunk: 2 });
