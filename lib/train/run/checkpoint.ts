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
import { placedMark } from '../../model/swap';
import type { LearnerOptions } from '../learner';
import type { TrainingState } from '../trained-weights';
import type { RunRecord } from './run-record';

/** What a run's result depends on, each by the name that a reader knows it by. */
type Conditions = Record<string, unknown>;

/** What the JSON file of a checkpoint holds. It is written last: a checkpoint without it is none. */
interface Checkpoint {
  conditions: Conditions;
  record: Pick<RunRecord, 'steps' | 'evaluations'>;
  numbers: Omit<TrainingState, 'tensors'>;
  /** SHA-256 of the files that belong to it, by name. */
  files: Record<string, string>;
}

/** Where a run begins. */
interface Start {
  record: RunRecord;
  /** The checkpoint's; absent where the run begins with its base model. */
  state?: TrainingState;
  /** Where it goes on, or why it does not, a few words; absent where there is nothing to say. */
  message?: string;
}

const { version } = readJson(path.join(__dirname, '../../../package.json')) as { version: string };

/**
 * All that a run's result depends on.
 *
 * @param method in words
 * @param others such as how often it evaluates, and on which data
 */
export function conditionsOf(
  { folder, maxSeqLength }: EmbeddingModel,
  { data, recipe, seed }: LearnerOptions,
  method: string,
  others: Conditions,
): Conditions {
  const settings = Object.entries({ ...recipe, maxSeqLength, seed });
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

/** The names under which two runs' conditions differ. */
function changes(before: Conditions, now: Conditions): string[] {
  const names = Object.keys({ ...before, ...now });
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
}

const tensorsOf = (step: number): string => `checkpoint-${step}.safetensors`;
const recordOf = (step: number): string => `checkpoint-${step}.json`;

/** The folder of a run. */
export class RunFolder {
  private readonly folder: string;
  private conditions: Conditions = {};
  /** The files of each checkpoint that is this run's, the newest last. */
  private own: string[][] = [];
  /** SHA-256 of the best model's file so far, by its name. */
  private best: Checkpoint['files'] = {};

  constructor(private readonly outputDir: string) {
    this.folder = path.join(outputDir, '.run');
  }

  /** Finds the newest checkpoint of the same conditions; one that is damaged, or of others, is passed over. */
  start(conditions: Conditions): Start {
    this.conditions = conditions;
    const names = fs.existsSync(this.folder) ? fs.readdirSync(this.folder) : [];
    for (const name of names) if (name.endsWith('.tmp')) fs.rmSync(this.at(name));
    const steps = names.map((name) => Number(/^checkpoint-(\d+)\.json$/.exec(name)?.[1])).filter((step) => step > 0);
    const damaged: number[] = [];
    let changed: string[] = [];
    for (const step of steps.sort((a, b) => b - a)) {
      const checkpoint = this.read(step);
      if (!checkpoint) damaged.push(step);
      else {
        changed = changes(checkpoint.conditions, conditions);
        if (changed.length === 0) return this.goOn(checkpoint, step, damaged);
      }
    }
    fs.rmSync(placedMark(this.outputDir), { force: true });
    const reason = changed.length > 0 ? `${changed.join(' and ')} changed` : damagedText(damaged);
    return {
      record: { steps: [], evaluations: [], stopped: false },
      message: reason && `starting anew, because ${reason}`,
    };
  }

  private goOn({ record, numbers, files }: Checkpoint, step: number, damaged: number[]): Start {
    this.own = [[recordOf(step), ...Object.keys(files)]];
    this.best = Object.fromEntries(Object.entries(files).filter(([name]) => name !== tensorsOf(step)));
    for (const report of record.evaluations) report.score ??= Number.NaN; // which JSON lacks
    const best = record.evaluations.filter(({ isBest }) => isBest).at(-1);
    return {
      record: { ...record, best, stopped: false },
      state: { ...numbers, tensors: readSafetensors(this.at(tensorsOf(step))) },
      message: [`going on from step ${step} of ${record.steps[0].totalSteps}`, damagedText(damaged)]
        .filter(Boolean)
        .join('; '),
    };
  }

  /** Keeps the model as it is: the best so far, after so many steps. */
  async keepBest(model: EmbeddingModel, step: number): Promise<void> {
    const name = `best-${step}/${WEIGHTS}`;
    writeSafetensors(this.at(name), await storedWeights(model));
    for (const before of Object.keys(this.best)) {
      if (!this.own.flat().includes(before)) fs.rmSync(path.dirname(this.at(before)), { recursive: true });
    }
    this.best = { [name]: hashFile(this.at(name)) };
  }

  /** Writes a checkpoint; two are kept, and the best models that they name. */
  save({ tensors, ...numbers }: TrainingState, { steps, evaluations }: RunRecord): void {
    const [tensorFile, recordFile] = [tensorsOf(steps.length), recordOf(steps.length)];
    if (steps.length === 0 || this.own.at(-1)?.includes(recordFile)) return;
    writeSafetensors(this.at(tensorFile), tensors);
    const files = { [tensorFile]: hashFile(this.at(tensorFile)), ...this.best };
    const checkpoint: Checkpoint = { conditions: this.conditions, record: { steps, evaluations }, numbers, files };
    const text = JSON.stringify(checkpoint);
    writeWhole(this.at(recordFile), `{"sha256":"${sha256(text)}","checkpoint":${text}}\n`, true);
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
      const { sha256: hash, checkpoint } = readJson(this.at(recordOf(step))) as {
        sha256: string;
        checkpoint: Checkpoint;
      };
      if (sha256(JSON.stringify(checkpoint)) !== hash) return undefined;
      const isWhole = Object.entries(checkpoint.files).every(([name, own]) => hashFile(this.at(name)) === own);
      return isWhole ? checkpoint : undefined;
    } catch {
      return undefined; // a file is missing, or is no JSON
    }
  }
}

const damagedText = (steps: number[]): string | undefined =>
  steps.length > 0
    ? `${steps.map((step) => `the checkpoint of step ${step}`).join(' and ')} cannot be read`
    : undefined;
