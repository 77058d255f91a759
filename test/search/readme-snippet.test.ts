// The README's snippet for TypeScript, run in a folder that has a model, data and a link to the library alone.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { saveModel } from 'finetune-embedding';
import { loadSearchIndex, loadSearchModel } from 'finetune-embedding/search';
import { expect, it } from 'vitest';
import { loadTiny, temporaryFolder } from '../fixtures/engine';

const SNIPPET = fs.readFileSync('test/search/readme-snippet.mjs', 'utf8');
const README = fs.readFileSync('README.md', 'utf8');

it('finds documents, and keeps its index', async () => {
  const folder = temporaryFolder();
  const model = await loadTiny('mean', true);
  model.search = { windows: { size: 12, stride: 6 }, windowTemperature: 0.05, bm25Weight: 0.015 };
  await saveModel(model, path.join(folder, 'exp_finetune'));
  const corpus = { paid: 'Whoever lost a barrel pays for it.', salt: 'Bread and salt.', river: 'A wide river.' };
  fs.mkdirSync(path.join(folder, 'data'));
  fs.writeFileSync(path.join(folder, 'data', 'test_dataset.json'), JSON.stringify({ corpus }));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(path.resolve('lib'), path.join(folder, 'node_modules', 'finetune-embedding'));
  fs.writeFileSync(path.join(folder, 'snippet.mjs'), SNIPPET);
  const lines = execFileSync(process.execPath, ['snippet.mjs'], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
  expect(lines).toHaveLength(3);
  const [score, id, ...window] = lines[0].split(' ');
  expect([Number(score) > 0, id]).toEqual([true, 'paid']);
  expect(corpus.paid).toContain(window.join(' '));
  const loaded = loadSearchIndex(
    await loadSearchModel(path.join(folder, 'exp_finetune')),
    path.join(folder, 'search_index'),
  );
  expect((await loaded.search('Who pays when a barrel is lost?', 1))[0].id).toBe('paid');
});

it('stands in the README as it is here', () => {
  expect(README).toContain(SNIPPET.trim());
});
