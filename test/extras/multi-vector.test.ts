// The folder for sentence-transformers' MultiVectorEncoder, which npm run interop loads: its layout, and what it holds.
import fs from 'node:fs';
import path from 'node:path';
import { loadModel } from 'finetune-embedding';
import { saveMultiVectorModel } from 'finetune-embedding/extras';
import { expect, it, onTestFinished } from 'vitest';
import { loadTiny, TINY, temporaryFolder, tensorsIn } from '../fixtures/engine';

it('saveMultiVectorModel writes masks and normalisation in place of pooling, and the same weights', async () => {
  const model = await loadTiny('mean', true);
  const folder = temporaryFolder();
  const json = (...names: string[]) => JSON.parse(fs.readFileSync(path.join(folder, ...names), 'utf8'));
  await saveMultiVectorModel(model, folder);
  const modules: { path: string; type: string }[] = json('modules.json');
  expect(modules.map((module) => [module.path, module.type.split('.').at(-1)])).toEqual([
    ['', 'Transformer'],
    ['1_MultiVectorMask', 'MultiVectorMask'],
    ['2_Normalize', 'Normalize'],
  ]);
  expect(json('1_MultiVectorMask', 'config.json')).toEqual({
    skiplist_words: ['[CLS]', '[SEP]'],
    skiplist_tasks: ['query', 'document'],
  });
  expect(json('2_Normalize', 'config.json').module_input_name).toBe('token_embeddings');
  expect(json('config_sentence_transformers.json')).toEqual({
    model_type: 'MultiVectorEncoder',
    similarity_fn_name: 'meanmaxsim',
  });
  expect(fs.existsSync(path.join(folder, '1_Pooling'))).toBe(false);
  const stored = tensorsIn(path.join(folder, 'model.safetensors'));
  expect(stored).toEqual(tensorsIn(path.join(model.folder, 'model.safetensors')));
});

it('saveMultiVectorModel refuses prompts, whose words MultiVectorEncoder would count', async () => {
  const model = await loadModel(TINY, { prompts: { query: '', document: 'the loss: ' } });
  onTestFinished(() => model.dispose());
  const folder = temporaryFolder();
  await expect(saveMultiVectorModel(model, folder)).rejects.toThrow(/would count a prompt's words.*train without/);
  expect(fs.readdirSync(folder)).toEqual([]);
});
