// In: what a run was given and what came out. Out: a line in results/runs.jsonl, and all its lines read back.
import { existsSync, readFileSync } from 'node:fs';
import { writeWhole } from '../common/files';
import { scrub } from '../common/openai';

/** A run as the log holds it: what it was given, on what, and what it reached. */
export interface LoggedRun {
  /** ISO 8601, UTC. */
  time: string;
  /** What ran, such as `finetune` or `evaluate`. */
  notebook: string;
  /** The settings of its first cell, by name. */
  settings: Record<string, string | number | boolean | null>;
  /** SHA-256 of each data file, by its name: runs compare only where these agree. */
  data: Record<string, string>;
  /** Metrics by the name of what was measured: `{ base: { hitRate: … }, finetuned: { … } }`. */
  results: Record<string, Record<string, number>>;
  /** The ends of each metric's 95% interval, by the same names. */
  intervals?: Record<string, Record<string, [low: number, high: number]>>;
  versions: Record<string, string>;
}

/**
 * Appends a run to a JSON Lines file (made if missing), with the time and the versions of Node and the packages that
 * decide results.
 *
 * @throws {Error} if something in it looks like an API key.
 */
export function appendRun(path: string, run: Omit<LoggedRun, 'time' | 'versions'>): LoggedRun {
  const logged: LoggedRun = { time: new Date().toISOString(), ...run, versions: versions() };
  const line = JSON.stringify(logged);
  if (scrub(line, process.env.OPENAI_API_KEY) !== line) {
    throw new Error('A setting of this run holds an API key: leave it out of the log.');
  }
  const before = existsSync(path) ? readFileSync(path, 'utf8').replace(/[^\n]$/, '$&\n') : '';
  writeWhole(path, `${before}${line}\n`);
  return logged;
}

/**
 * All runs in a log, oldest first; none if there is no log.
 * @throws {Error} if a line is not a run, with its number.
 */
export function readRuns(path: string): LoggedRun[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, i): LoggedRun[] => {
    if (line.trim() === '') return [];
    try {
      const run: LoggedRun = JSON.parse(line);
      if (typeof run.settings === 'object' && typeof run.results === 'object') return [run];
    } catch {} // no JSON
    throw new Error(`${path}, line ${i + 1}, is not a run: repair or remove that line.`);
  });
}

/** From each package's own package.json, which many packages do not export: looked for along Node's folders. */
function versions(): Record<string, string> {
  const found: Record<string, string> = { node: process.versions.node };
  for (const name of ['finetune-embedding', '@tensorflow/tfjs-node', '@huggingface/transformers', 'openai']) {
    const files = require.resolve.paths(name)!.map((folder) => `${folder}/${name}/package.json`);
    const file = files.find((path) => existsSync(path));
    if (file) found[name] = JSON.parse(readFileSync(file, 'utf8')).version;
  }
  return found;
}
