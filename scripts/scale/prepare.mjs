// In: a model, training data and a recipe. Out: a run's folder, as train.py reads it: every token sequence once, and a line a batch.
import fs from 'node:fs';
import path from 'node:path';
import { makeBatches } from 'finetune-embedding';
import files from 'finetune-embedding/dist/common/files.js';
import tokenizer from 'finetune-embedding/dist/model/tokenizer.js';
import loss from 'finetune-embedding/dist/train/ranking-loss.js';
import training from 'finetune-embedding/dist/train/train.js';

/** Evaluations of a run after its start, as `train` without EVALUATION_STEPS. */
const EVALUATIONS = 4;

/**
 * Writes the run's files, each whole; batches, learning rates and token ids are the library's own.
 *
 * - `tokens.i32`: the ids of all sequences, one after the other; `lengths.i32`: how many each has. Sequences are counted from 0.
 * - `batches.jsonl`: a line a step: `questions` and `windows`, numbers of sequences; `counts`: windows of each chunk;
 *   `columns`, `targets`, `knownPositives`: as in TrainingBatch; `learningRate`.
 * - `settings.json`, the last.
 *
 * @param {string} folder made if missing; if it is prepared, nothing is done
 * @param {import('finetune-embedding').EmbeddingModel} model
 * @param {{data: object, recipe: import('finetune-embedding').Recipe, seed: number, checkpointSeconds: number}} run
 */
export function prepare(folder, model, { data, recipe, seed, checkpointSeconds }) {
  const settingsFile = path.join(folder, 'settings.json');
  if (fs.existsSync(settingsFile)) return;
  const { maxSeqLength } = model;
  const { queryTokenizer: questionsOf, documentTokenizer: documentsOf } = model;
  const lengths = [];
  const questions = new Map();
  const chunks = new Map();

  /** Token ids as bytes, text by text; notes the numbers of each text's sequences. */
  function* tokens(texts, numbers, sequencesOf) {
    for (const [id, text] of Object.entries(texts)) {
      const sequences = sequencesOf(text);
      numbers.set(
        id,
        sequences.map(({ length }) => lengths.push(length) - 1),
      );
      for (const ids of sequences) yield new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
    }
  }
  function* allTokens() {
    yield* tokens(data.queries, questions, (text) => [questionsOf.encode(text, maxSeqLength)]);
    yield* tokens(data.corpus, chunks, (text) =>
      recipe.windows
        ? tokenizer.windowSequences(documentsOf, text, recipe.windows, maxSeqLength)
        : [documentsOf.encode(text, maxSeqLength)],
    );
  }
  files.writeWhole(path.join(folder, 'tokens.i32'), allTokens());
  files.writeWhole(path.join(folder, 'lengths.i32'), new Uint8Array(Int32Array.from(lengths).buffer));

  const batchesOf = (epoch) => makeBatches(data, recipe.batching, recipe.batchSize, seed, epoch);
  const totalSteps = batchesOf(0).length * recipe.epochs;
  const warmupSteps = Math.floor(totalSteps * recipe.warmupRatio);
  function* lines() {
    let step = 0;
    for (let epoch = 0; epoch < recipe.epochs; epoch++) {
      for (const { queryIds, chunkIds, columnChunks, targets, knownPositives } of batchesOf(epoch)) {
        const windows = chunkIds.map((id) => chunks.get(id));
        const line = {
          learningRate: recipe.learningRate * training.linearSchedule(step++, warmupSteps, totalSteps),
          questions: queryIds.flatMap((id) => questions.get(id)),
          windows: windows.flat(),
          counts: windows.map(({ length }) => length),
          columns: [...columnChunks],
          targets: [...targets],
          knownPositives,
        };
        yield Buffer.from(`${JSON.stringify(line)}\n`);
      }
    }
  }
  files.writeWhole(path.join(folder, 'batches.jsonl'), lines());

  const every = Math.ceil(totalSteps / EVALUATIONS);
  const keep = Array.from({ length: EVALUATIONS }, (_, i) => Math.min((i + 1) * every, totalSteps));
  files.writeJson(settingsFile, {
    base: model.folder,
    keep: [...new Set(keep)],
    seed,
    dropout: recipe.dropout,
    scale: loss.DEFAULT_SCALE,
    checkpointSeconds,
  });
}
