// A model as LangChain.js, LlamaIndex.TS and Chroma take it. In the real packages where a folder has them:
// npm install --prefix FOLDER @langchain/core@1.4.0 @llamaindex/core@0.6.23 chromadb@3.5.0, and PACKAGES=FOLDER;
// for Chroma a server too: pip install chromadb, chroma run, and CHROMA_PORT=8000.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type EmbeddingModel, saveModel } from 'finetune-embedding';
import { forChroma, forLangChain, forLlamaIndex, loadSearchModel, type SearchModel } from 'finetune-embedding/search';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadTiny, temporaryFolder } from '../fixtures/engine';

const { PACKAGES, CHROMA_PORT } = process.env;
if (!PACKAGES)
  console.log('PACKAGES is not set: the adapters are not tried in LangChain.js, LlamaIndex.TS and Chroma.');
else if (!CHROMA_PORT) console.log('CHROMA_PORT is not set: the adapter is not tried with Chroma.');
const load = (name: string) => createRequire(path.resolve(PACKAGES!, 'index.js'))(name);

const texts = ['The river is wide in winter.', 'Bread and salt at the market.', 'Stones'];
const question = 'a river in winter';

/** With other vectors for a question than for a document of the same words. */
async function loadModel(): Promise<{ model: SearchModel; expected: EmbeddingModel }> {
  const [expected, folder] = [await loadTiny('mean', true), path.join(temporaryFolder(), 'saved')];
  await saveModel(expected, folder);
  const model = await loadSearchModel(folder, { name: 'tiny' });
  const queryTokenizer = model.tokenizer.withPrompt('query: ');
  const embedQueries = (asked: string[]) =>
    model.embedTokens(asked.map((text) => queryTokenizer.encode(text, model.maxSeqLength)));
  return { model: { ...model, embedQueries }, expected };
}
const cosine = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);

describe('adapters', () => {
  it('give the vectors of the model, of questions and of documents', async () => {
    const { model, expected } = await loadModel();
    const { data, columns } = (await expected.embedDocuments(texts)).vectors;
    const rows = texts.map((_, i) => Array.from(data.subarray(i * columns, (i + 1) * columns)));
    const asked = [...(await model.embedQueries([question])).data];
    const { embedDocuments, embedQuery } = forLangChain(model);
    const { generate, generateForQueries } = forChroma(model);
    class BaseEmbedding {
      getTextEmbeddings = async (_: string[]): Promise<number[][]> => [];
      getTextEmbedding = async (_: string): Promise<number[]> => [];
      getQueryEmbedding = async (_: { type: 'text'; text: string }): Promise<number[]> => [];
    }
    const llamaIndex = forLlamaIndex(model, BaseEmbedding);
    expect(llamaIndex).toBeInstanceOf(BaseEmbedding);
    for (const embedded of [embedDocuments(texts), generate(texts), llamaIndex.getTextEmbeddings(texts)])
      (await embedded).forEach((row, i) => {
        expect(row).toHaveLength(columns);
        expect(cosine(row, rows[i])).toBeGreaterThan(0.99999);
      });
    expect(cosine(await llamaIndex.getTextEmbedding(texts[1]), rows[1])).toBeGreaterThan(0.99999);
    expect(await embedQuery(question)).toEqual(asked);
    expect(await generateForQueries([question])).toEqual([asked]);
    expect(await llamaIndex.getQueryEmbedding({ type: 'text', text: question })).toEqual(asked);
    expect(cosine(asked, (await embedDocuments([question]))[0])).toBeLessThan(0.9999);
  });
});

describe.runIf(PACKAGES)('adapters in the real packages', () => {
  it('LangChain.js: a vector store finds', async () => {
    const { model } = await loadModel();
    const { FakeVectorStore } = load('@langchain/core/utils/testing');
    const store = await FakeVectorStore.fromTexts(texts, texts, forLangChain(model));
    const [[found, score]] = await store.similaritySearchWithScore(question, 1);
    const { embedDocuments, embedQuery } = forLangChain(model);
    const asked = await embedQuery(question);
    const cosines = (await embedDocuments(texts)).map((row) => cosine(row, asked));
    expect(found.pageContent).toBe(texts[cosines.indexOf(Math.max(...cosines))]);
    expect(score).toBeCloseTo(Math.max(...cosines), 5);
  });

  it('LlamaIndex.TS: embeds nodes as a transformation, and a question', async () => {
    const { model } = await loadModel();
    const { BaseEmbedding } = load('@llamaindex/core/embeddings');
    const { TextNode, MetadataMode } = load('@llamaindex/core/schema');
    const { Settings } = load('@llamaindex/core/global');
    const embedding = forLlamaIndex(model, BaseEmbedding);
    Settings.embedModel = embedding;
    const nodes = await Settings.embedModel(texts.map((text) => new TextNode({ text })));
    const { embedDocuments, embedQuery } = forLangChain(model);
    const expected = await embedDocuments(texts);
    expect(nodes).toHaveLength(texts.length);
    nodes.forEach((node: { getContent(mode: unknown): string; getEmbedding(): number[] }, i: number) => {
      expect(node.getContent(MetadataMode.NONE)).toBe(texts[i]);
      expect(cosine(node.getEmbedding(), expected[i])).toBeGreaterThan(0.99999);
    });
    const asked = await Settings.embedModel.getQueryEmbedding({ type: 'text', text: question });
    expect(asked).toEqual(await embedQuery(question));
    expect(Settings.embedModel.similarity(asked, expected[0])).toBeCloseTo(cosine(asked, expected[0]), 5);
  });

  it.runIf(CHROMA_PORT)('Chroma: a server’s collection finds, with the question’s own vector', async () => {
    const { model } = await loadModel();
    const { ChromaClient } = load('chromadb');
    const client = new ChromaClient({ host: '127.0.0.1', port: Number(CHROMA_PORT) });
    onTestFinished(() => client.deleteCollection({ name: 'texts' }));
    const embeddingFunction = forChroma(model);
    const collection = await client.createCollection({ name: 'texts', embeddingFunction });
    await collection.add({ ids: ['0', '1', '2'], documents: texts });
    const { ids, distances } = await collection.query({ queryTexts: [question], nResults: 3 });
    const [asked] = await embeddingFunction.generateForQueries([question]);
    const cosines = (await embeddingFunction.generate(texts)).map((row) => cosine(row, asked));
    expect(ids[0]).toEqual(['0', '1', '2'].sort((a, b) => cosines[Number(b)] - cosines[Number(a)]));
    distances[0].forEach((distance: number, i: number) => {
      expect(distance).toBeCloseTo(1 - cosines[Number(ids[0][i])], 4);
    });
    const again = await client.getCollection({ name: 'texts', embeddingFunction });
    expect((await again.query({ queryTexts: [question], nResults: 1 })).ids).toEqual([[ids[0][0]]]);
  });

  it('fits their types', () => {
    const file = path.resolve(PACKAGES!, 'adapters-types.ts');
    onTestFinished(() => fs.rmSync(file, { force: true }));
    const source = `
      import type { EmbeddingsInterface } from '@langchain/core/embeddings';
      import { BaseEmbedding } from '@llamaindex/core/embeddings';
      import type { EmbeddingFunction } from 'chromadb';
      import { forChroma, forLangChain, forLlamaIndex, type SearchModel } from '${path.resolve('lib/dist/search/index.js')}';
      declare const model: SearchModel;
      export const all: [EmbeddingsInterface, BaseEmbedding, EmbeddingFunction] =
        [forLangChain(model), forLlamaIndex(model, BaseEmbedding), forChroma(model)];
    `;
    fs.writeFileSync(file, source);
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
    const run = () =>
      execFileSync(process.execPath, [path.resolve('node_modules/typescript/bin/tsc'), ...options, file], {
        encoding: 'utf8',
        cwd: path.dirname(file),
      });
    expect(run()).toBe('');
    fs.writeFileSync(file, source.replace('[forLangChain(model)', '[forChroma(model)'));
    expect(run).toThrow();
  });
});
