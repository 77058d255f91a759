// In: a run's state, from time to time. Out: `OUTPUT_DIR/.run`, from which a run that was cut off goes on.
//
// There are two checkpoints, `checkpoint-STEP.safetensors` with all tensors and `checkpoint-STEP.json` with the rest,
// and the best models that they name.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { readJson, writeParts } from '../common/files';
import { contentId, sha256 } from '../common/ids';
import type { EmbeddingModel } from '../model/embedding-model';
import { WEIGHTS, weightFiles } from '../model/hub/model-folder';
import { readSafetensors, writeSafetensors } from '../model/safetensors';
import { storedWeights } from '../model/save';
import { placedMark } from '../model/swap';
import type { LearnerOptions } from './learner';
import type { RunRecord } from './run-record';
import type { TrainingState } from './trained-weights';

/** What a run's result depends on, each by the name that a reader knows it by. */
type Conditions = Record<string, unknown>;

/** What the JSON file of a checkpoint holds. It comes last: a checkpoint without it is none. */
interface Checkpoint {
  conditions: Conditions;
  record: Pick<RunRecord, 'steps' | 'evaluations'>;
  numbers: Omit<TrainingState, 'tensors'>;
  /** SHA-256 of the files that belong to it, by name. */
  files: Record<string, string>;
}

/** Where a run begins. */
export interface Start {
  record: RunRecord;
  /** The checkpoint's; absent where the run begins with its base model. */
  state?: TrainingState;
  /** Where it goes on, or why it does not, a few words; absent where there is nothing to say. */
  message?: string;
}

const hashOf = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/**
 * All that a run's result depends on.
 *
 * @param others such as how often it evaluates, and by which data
 */
export function conditionsOf(
  model: EmbeddingModel,
  { data, recipe, seed }: LearnerOptions,
  method: string,
  others: Conditions,
): Conditions {
  const baseFiles = [...weightFiles(model.folder), 'config.json', 'tokenizer.json'];
  return {
    RECIPE: [recipe.batching, recipe.warmupRatio],
    EPOCHS: recipe.epochs,
    BATCH_SIZE: recipe.batchSize,
    LEARNING_RATE: recipe.learningRate,
    DROPOUT: recipe.dropout,
    MAX_SEQ_LENGTH: model.maxSeqLength,
    'windows in training': recipe.windows,
    SEED: seed,
    'the training data': contentId(data.queries, data.corpus, data.relevantDocs),
    'the base model': baseFiles.map((name) => hashOf(path.join(model.folder, name))).concat(model.encoder.pooling.mode),
    'the method of training': method,
    'the version of this library': (readJson(path.join(__dirname, '../../package.json')) as { version: string })
      .version,
    ...others,
  };
}

/** The folder of a run. */
export class RunFolder {
  private readonly folder: string;
  /** The files of each checkpoint that is this run's, the newest last. */
  private own: { step: number; files: string[] }[] = [];
  /** SHA-256 of the best model's file so far, by its name. */
  private best: Checkpoint['files'] = {};

  private conditions: Conditions = {};

  constructor(private readonly outputDir: string) {
    this.folder = path.join(outputDir, '.run');
  }

  /** Finds the newest checkpoint of the same conditions; one that is damaged, or of others, is passed over. */
  start(conditions: Conditions): Start {
    this.conditions = conditions;
    const damaged: number[] = [];
    let reason: string | undefined;
    for (const step of this.steps()) {
      const checkpoint = this.read(step);
      const changed = checkpoint && changes(checkpoint.conditions, conditions);
      if (checkpoint && !changed) return this.goOn(checkpoint, step, damaged);
      if (changed) reason ??= `${changed} changed`;
      else damaged.push(step);
    }
    fs.rmSync(placedMark(this.outputDir), { force: true });
    if (damaged.length > 0) reason ??= `the checkpoint of step ${damaged.join(' and that of step ')} is damaged`;
    const message = reason && `starting anew, because ${reason}`;
    return { record: { steps: [], evaluations: [], stopped: false }, message };
  }

  private goOn({ record, numbers, files }: Checkpoint, step: number, damaged: number[]): Start {
    const { [tensorsOf(step)]: _, ...best } = files;
    this.best = best;
    this.own = [{ step, files: [recordOf(step), ...Object.keys(files)] }];
    for (const report of record.evaluations) report.score ??= Number.NaN; // which JSON lacks
    const remark = damaged.length > 0 ? ` (the checkpoint of step ${damaged.join(', ')} is damaged)` : '';
    return {
      record: { ...record, best: record.evaluations.filter(({ isBest }) => isBest).at(-1), stopped: false },
      state: { ...numbers, tensors: readSafetensors(this.at(tensorsOf(step))) },
      message: `going on from step ${step} of ${record.steps[0].totalSteps}${remark}`,
    };
  }

  /** Keeps the model as it is: the best so far, after so many steps. */
  async keepBest(model: EmbeddingModel, step: number): Promise<void> {
    const name = path.join(`best-${step}`, WEIGHTS);
    writeSafetensors(this.at(name), await storedWeights(model));
    this.best = { [name]: hashOf(this.at(name)) };
  }

  /** The folder with the weights that {@link keepBest} kept. */
  bestFolder(step: number): string {
    return this.at(`best-${step}`);
  }

  /** Writes a checkpoint; two are kept, and the best models that they name. */
  save({ tensors, ...numbers }: TrainingState, { steps, evaluations }: RunRecord): void {
    const step = steps.length;
    if (step === 0 || this.own.at(-1)?.step === step) return;
    writeSafetensors(this.at(tensorsOf(step)), tensors);
    const files = { [tensorsOf(step)]: hashOf(this.at(tensorsOf(step))), ...this.best };
    const checkpoint: Checkpoint = { conditions: this.conditions, record: { steps, evaluations }, numbers, files };
    const text = JSON.stringify(checkpoint);
    writeParts(this.at(recordOf(step)), [`{"sha256":"${sha256(text)}","checkpoint":${text}}\n`]);
    this.own = [...this.own, { step, files: [recordOf(step), ...Object.keys(files)] }].slice(-2);
    const named = new Set(this.own.flatMap((one) => one.files).map((file) => file.split(path.sep)[0]));
    for (const name of fs.readdirSync(this.folder)) {
      if (/^(checkpoint|best)-/.test(name) && !named.has(name)) fs.rmSync(this.at(name), { recursive: true });
    }
  }

  /** Removes it all, at a run's end. */
  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** Steps of all checkpoints that are there, the newest first. */
  private steps(): number[] {
    if (!fs.existsSync(this.folder)) return [];
    const found = fs.readdirSync(this.folder).flatMap((name) => /^checkpoint-(\d+)\.json$/.exec(name)?.[1] ?? []);
    return found.map(Number).sort((a, b) => b - a);
  }

  /** A checkpoint, if it is whole. */
  private read(step: number): Checkpoint | undefined {
    try {
      const stored = readJson(this.at(recordOf(step))) as { sha256: string; checkpoint: Checkpoint };
      const { checkpoint } = stored;
      if (sha256(JSON.stringify(checkpoint)) !== stored.sha256) return undefined;
      const isWhole = Object.entries(checkpoint.files).every(([name, hash]) => hashOf(this.at(name)) === hash);
      return isWhole ? checkpoint : undefined;
    } catch {
      return undefined; // a file is missing, or is no JSON
    }
  }

  private at(name: string): string {
    return path.join(this.folder, name);
  }
}

const tensorsOf = (step: number): string => `checkpoint-${step}.safetensors`;
const recordOf = (step: number): string => `checkpoint-${step}.json`;

/** The names under which two runs' conditions differ, as a text; empty where they are the same. */
function changes(before: Conditions, now: Conditions): string {
  const names = Object.keys({ ...before, ...now });
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  return changed.join(' and ');
}
