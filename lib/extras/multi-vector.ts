// In: an EmbeddingModel. Out: a folder for sentence-transformers' MultiVectorEncoder: search by words, in Python.
import fs from 'node:fs';
import path from 'node:path';
import { writeJson } from '../common/files';
import type { EmbeddingModel } from '../model/embedding-model';
import { ABOUT } from '../model/prompts';
import { saveModel } from '../model/save';

const BASE = 'sentence_transformers.base.modules';
const MASK = 'sentence_transformers.multi_vector_encoder.modules.multi_vector_mask';

/**
 * Saves the model as a multi-vector one, whose scores are those of `wordEmbedder` before vectors are merged and cut to
 * 8 bits: [CLS] and [SEP] left out, no prefix, no added [MASK], the mean of the best cosines (`meanmaxsim`).
 *
 * Beside a folder by `saveModel`, not in its place: MultiVectorEncoder would put an untrained projection on that.
 * It reads a text as a whole, cut at `max_seq_length`: hand it a chunk's windows where ours are to be had.
 *
 * @param folder created if needed; a model in it is replaced
 * @throws Error if the model has prompts
 */
export async function saveMultiVectorModel(model: EmbeddingModel, folder: string): Promise<void> {
  const { prompts, tokenizer } = model;
  if (prompts.query || prompts.document)
    throw new Error("MultiVectorEncoder would count a prompt's words, which a search here leaves out: train without.");
  await saveModel(model, folder);
  fs.rmSync(path.join(folder, '1_Pooling'), { recursive: true, force: true });
  const { around, pieces } = tokenizer; // what it puts around a text is left out, on both sides
  const mask = { skiplist_words: pieces([...around.before, ...around.after]), skiplist_tasks: ['query', 'document'] };
  const modules = [
    { path: '', type: `${BASE}.transformer.Transformer` },
    { path: '1_MultiVectorMask', type: `${MASK}.MultiVectorMask`, config: mask },
    { path: '2_Normalize', type: `${BASE}.normalize.Normalize`, config: { module_input_name: 'token_embeddings' } },
  ];
  for (const { path: place, config } of modules) if (config) writeJson(path.join(folder, place, 'config.json'), config);
  writeJson(
    path.join(folder, 'modules.json'),
    modules.map(({ path, type }, idx) => ({ idx, name: String(idx), path, type })),
  );
  const settings = { model_type: 'MultiVectorEncoder', similarity_fn_name: 'meanmaxsim' };
  writeJson(path.join(folder, ABOUT), settings);
}
