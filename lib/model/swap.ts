// In: a folder with a model, and a new version in its `.run/model`. Out: the new version in the folder, whole, and the
// earlier one in `.previous`; where the process is killed meanwhile, the next to come finishes it.
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder, writing } from '../common/files';
import { SETTINGS, WEIGHTS } from './hub/model-folder';
import { hasOwnReadme } from './model-card';

/** What a version of a model consists of; everything else in its folder is somebody's own. */
export const ENTRIES = [WEIGHTS, ...SETTINGS, '1_Pooling', '2_Normalize', 'search_settings.json', 'onnx', 'README.md'];

const inRun = (folder: string, name: string): string => path.join(folder, '.run', name);
/** Where a new version is made. */
export const nextVersion = (folder: string): string => inRun(folder, 'model');
/** Where the earlier version goes: once this is there, the swap has begun. */
const earlierVersion = (folder: string): string => inRun(folder, 'earlier');
/** What the new version is called once all of the earlier one has gone. */
const enteringVersion = (folder: string): string => inRun(folder, 'model-entering');
/** A file that is there once a run's model has taken its place: the earlier model is then of the same run. */
export const placedMark = (folder: string): string => inRun(folder, 'placed');

/** Puts the new version in the place of the folder's model. */
export function swapIn(folder: string): void {
  makeFolder(earlierVersion(folder));
  finishSwap(folder);
}

/** Whether a swap has begun and not ended. */
export const isSwapUnfinished = (folder: string): boolean =>
  fs.existsSync(earlierVersion(folder)) || fs.existsSync(enteringVersion(folder));

/** Finishes a swap if one was begun. The earlier weights go first, and the new ones come last. */
export function finishSwap(folder: string): void {
  if (!isSwapUnfinished(folder)) return;
  const [next, earlier, entering] = [nextVersion, earlierVersion, enteringVersion].map((of) => of(folder));
  const move = (names: string[], from: string, to: string) => {
    for (const name of names) {
      if (fs.existsSync(path.join(from, name))) fs.renameSync(path.join(from, name), path.join(to, name));
    }
  };
  writing(folder, () => {
    if (fs.existsSync(next)) {
      const stays = hasOwnReadme(folder) ? 'README.md' : undefined;
      move(
        ENTRIES.filter((name) => name !== stays),
        folder,
        earlier,
      );
      fs.renameSync(next, entering);
    }
    move([...ENTRIES].reverse(), entering, folder);
    if (fs.existsSync(earlier) && fs.readdirSync(earlier).length > 0 && !fs.existsSync(placedMark(folder))) {
      const previous = path.join(folder, '.previous');
      fs.rmSync(previous, { recursive: true, force: true });
      fs.renameSync(earlier, previous);
    }
    fs.writeFileSync(placedMark(folder), '');
    for (const place of [earlier, entering]) fs.rmSync(place, { recursive: true, force: true });
  });
}
