// In: a folder with a model, and a new version in its `.run/model`. Out: the new version in the folder, whole, and the
// earlier one in `.previous`; where the process is killed meanwhile, the next to come finishes it.
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder, readJson, writeJson, writing } from '../common/files';
import { WEIGHTS } from './hub/model-folder';

/** What a version of a model consists of; everything else in its folder is somebody's own. */
const ENTRIES = [
  WEIGHTS,
  ...['config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'vocab.txt'],
  ...['modules.json', '1_Pooling', '2_Normalize', 'sentence_bert_config.json', 'config_sentence_transformers.json'],
  ...['search_settings.json', 'onnx', 'README.md'],
];

/** What changes places, written down before it begins. */
interface Plan {
  earlier: string[];
  next: string[];
  /** Whether the earlier version is of the same training run: then the version before it is the one to keep. */
  isSameRun: boolean;
}

const inRun = (folder: string, name: string): string => path.join(folder, '.run', name);
const planOf = (folder: string): string => inRun(folder, 'swap.json');
/** Where a new version is made. */
export const nextVersion = (folder: string): string => inRun(folder, 'model');
/** A file that is there once a run's model has taken its place. */
export const placedMark = (folder: string): string => inRun(folder, 'placed');

/**
 * Puts the new version in the place of the folder's model.
 *
 * @param ownsCard whether the folder's README.md is the model's card, and goes with it
 */
export function swapIn(folder: string, ownsCard: boolean): void {
  const isThere = (name: string) => fs.existsSync(path.join(folder, name)) && (name !== 'README.md' || ownsCard);
  makeFolder(inRun(folder, 'earlier'));
  const plan: Plan = {
    earlier: ENTRIES.filter(isThere),
    next: fs.readdirSync(nextVersion(folder)),
    isSameRun: fs.existsSync(placedMark(folder)),
  };
  writeJson(planOf(folder), plan);
  finishSwap(folder);
}

/** Whether a swap has begun and not ended. */
export const isSwapUnfinished = (folder: string): boolean => fs.existsSync(planOf(folder));

/** Finishes a swap if one was begun. The earlier weights go first, and the new ones come last. */
export function finishSwap(folder: string): void {
  if (!isSwapUnfinished(folder)) return;
  const plan = readJson(planOf(folder), 'Delete it, and train again.') as Plan;
  // A folder may come from anywhere, its plan with it: nothing else is moved.
  const [earlier, next] = [plan.earlier, plan.next].map((names) => names.filter((name) => ENTRIES.includes(name)));
  const [from, to] = [nextVersion(folder), inRun(folder, 'earlier')];
  const isWaiting = (name: string) => fs.existsSync(path.join(from, name));
  writing(folder, () => {
    for (const name of earlier) {
      const isNew = next.includes(name) && !isWaiting(name);
      if (fs.existsSync(path.join(folder, name)) && !isNew) fs.renameSync(path.join(folder, name), path.join(to, name));
    }
    for (const name of [...next.filter((one) => one !== WEIGHTS), WEIGHTS]) {
      if (isWaiting(name)) fs.renameSync(path.join(from, name), path.join(folder, name));
    }
    if (earlier.length > 0 && !plan.isSameRun && fs.existsSync(to)) {
      const previous = path.join(folder, '.previous');
      fs.rmSync(previous, { recursive: true, force: true });
      fs.renameSync(to, previous);
    }
    fs.writeFileSync(placedMark(folder), '');
    for (const place of [to, from, planOf(folder)]) fs.rmSync(place, { recursive: true, force: true });
  });
}
