// In: a run's state, from time to time. Out: `OUTPUT_DIR/.run`, from which a run that was cut off goes on.
//
// It holds two checkpoints, each of `checkpoint-STEP.safetensors` with all tensors and `checkpoint-STEP.json` with the
// rest, and the best models that they name, `best-STEP/model.safetensors`.
import fs from 'node:fs';
import path from 'node:path';
import { readJson, writeWhole } from '../../common/files';
import { contentId, hashFile, sha256 } from '../../common/ids';
import type { EmbeddingModel } from '../../model/embedding-model';
import { WEIGHTS, weightFiles } from '../../model/hub/model-folder';
import { readSafetensors, writeSafetensors } from '../../model/safetensors';
import { storedWeights } from '../../model/save';
import type { LearnerOptions } from '../learner';
import type { TrainingState } from '../trained-weights';
import type { RunRecord } from './run-record';

/** What a run's result depends on, each by the name that a reader knows it by. */
type Conditions = Record<string, unknown>;

/** What the JSON file of a checkpoint holds, with its own SHA-256. It is written last: without it there is none. */
interface Checkpoint {
  conditions: Conditions;
  record: RunRecord;
  numbers: Omit<TrainingState, 'tensors'>;
  /** SHA-256 of the files that belong to it, by name. */
  files: Record<string, string>;
}

const { version } = readJson(path.join(__dirname, '../../../package.json')) as { version: string };

/**
 * All that a run's result depends on.
 *
 * @param method in words
 * @param others such as how often it evaluates, and on which data
 */
export function conditionsOf(
  { folder, maxSeqLength, prompts }: EmbeddingModel,
  { data, recipe, seed }: LearnerOptions,
  method: string,
  others: Conditions,
): Conditions {
  const { query: queryPrompt, document: documentPrompt } = prompts;
  const settings = Object.entries({ ...recipe, maxSeqLength, seed, queryPrompt, documentPrompt });
  const base = [...weightFiles(folder), 'config.json', 'tokenizer.json'];
  return {
    // By their names in the notebook: batchSize → BATCH_SIZE.
    ...Object.fromEntries(settings.map(([name, value]) => [name.replace(/[A-Z]/g, '_$&').toUpperCase(), value])),
    ...others,
    'the training data': contentId(data.queries, data.corpus, data.relevantDocs),
    'the base model': base.map((name) => hashFile(path.join(folder, name))),
    'the method of training': method,
    'the version of this library': version,
  };
}

const tensorsOf = (step: number): string => `checkpoint-${step}.safetensors`;
const recordOf = (step: number): string => `checkpoint-${step}.json`;

export class RunFolder {
  private conditions: Conditions = {};
  /** The files of each checkpoint that is this run's, the newest last. */
  private own: string[][] = [];
  /** SHA-256 of the best model's file so far, by its name. */
  private best: Checkpoint['files'] = {};
  private readonly folder: string;

  constructor(outputDir: string) {
    this.folder = path.join(outputDir, '.run');
  }

  /**
   * Finds the newest checkpoint of the same conditions; one that is damaged, or of others, is passed over.
   *
   * @returns the run so far, its state unless it begins, and where it goes on or why it does not, if there is a reason
   */
  start(conditions: Conditions) {
    this.conditions = conditions;
    const names = fs.existsSync(this.folder) ? fs.readdirSync(this.folder) : [];
    for (const name of names) if (name.endsWith('.tmp')) fs.rmSync(this.at(name));
    const steps = names.map((name) => Number(/^checkpoint-(\d+)\.json$/.exec(name)?.[1])).filter((step) => step > 0);
    const damaged: string[] = [];
    let changed: string[] = [];
    let found: Checkpoint | undefined;
    for (const step of steps.sort((a, b) => b - a)) {
      const checkpoint = this.read(step);
      if (!checkpoint) {
        damaged.push(`the checkpoint of step ${step}`);
        continue;
      }
      const isChanged = (name: string) =>
        JSON.stringify(checkpoint.conditions[name]) !== JSON.stringify(conditions[name]);
      changed = Object.keys({ ...checkpoint.conditions, ...conditions }).filter(isChanged);
      if (changed.length > 0) continue;
      found = checkpoint;
      break;
    }
    const unreadable = damaged.length > 0 ? `${damaged.join(' and ')} cannot be read` : undefined;
    if (!found) {
      fs.rmSync(this.at('placed'), { force: true }); // the model there is another run's
      const reason = changed.length > 0 ? `${changed.join(' and ')} changed` : unreadable;
      const record: RunRecord = { steps: [], evaluations: [], stopped: false };
      return { record, message: reason && `starting anew, because ${reason}` };
    }
    const { numbers, files } = found;
    const record: RunRecord = { ...found.record, stopped: false };
    const step = record.steps.length;
    const state: TrainingState = { ...numbers, tensors: readSafetensors(this.at(tensorsOf(step))) };
    this.own = [[recordOf(step), ...Object.keys(files)]];
    this.best = Object.fromEntries(Object.entries(files).filter(([name]) => name !== tensorsOf(step)));
    for (const report of record.evaluations) report.score ??= Number.NaN; // which JSON lacks
    const goingOn = `going on from step ${step} of ${record.steps[0].totalSteps}`;
    return { record, state, message: unreadable ? `${goingOn}; ${unreadable}` : goingOn };
  }

  /** Keeps the model as it is: the best so far, after so many steps. */
  async keepBest(model: EmbeddingModel, step: number): Promise<void> {
    const name = `best-${step}/${WEIGHTS}`;
    const hash = writeSafetensors(this.at(name), await storedWeights(model));
    for (const before of Object.keys(this.best)) {
      if (!this.own.flat().includes(before)) fs.rmSync(path.dirname(this.at(before)), { recursive: true });
    }
    this.best = { [name]: hash };
  }

  /** Writes a checkpoint; two are kept, and the best models that they name. */
  save({ tensors, ...numbers }: TrainingState, record: RunRecord): void {
    const step = record.steps.length;
    const [tensorFile, recordFile] = [tensorsOf(step), recordOf(step)];
    if (step === 0 || this.own.at(-1)?.includes(recordFile)) return;
    const files = { [tensorFile]: writeSafetensors(this.at(tensorFile), tensors), ...this.best };
    const checkpoint: Checkpoint = { conditions: this.conditions, record, numbers, files };
    const own = sha256(JSON.stringify(checkpoint));
    writeWhole(this.at(recordFile), JSON.stringify({ ...checkpoint, sha256: own }), true);
    this.own = [...this.own, [recordFile, ...Object.keys(files)]].slice(-2);
    const named = this.own.flat().map((file) => file.split('/')[0]);
    for (const name of fs.readdirSync(this.folder)) {
      if (/^(checkpoint|best)-/.test(name) && !named.includes(name)) fs.rmSync(this.at(name), { recursive: true });
    }
  }

  /** Removes it all, at a run's end. */
  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** A file of the run; `best-STEP` is the folder of a best model. */
  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** A checkpoint, if it is whole. */
  private read(step: number): Checkpoint | undefined {
    try {
      const { sha256: own, ...checkpoint } = readJson(this.at(recordOf(step))) as Checkpoint & { sha256: string };
      const isWhole = Object.entries(checkpoint.files).every(([name, hash]) => hashFile(this.at(name)) === hash);
      return isWhole && sha256(JSON.stringify(checkpoint)) === own ? checkpoint : undefined;
    } catch {
      return undefined; // a file is missing, or is no JSON
    }
  }
}
