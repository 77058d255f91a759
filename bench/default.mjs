// The three notebooks as they come, headless, on the sample corpus and offline: seconds by notebook and by its longer
// cells, and the peak memory of each notebook's kernel. Data, model and results go to runs/bench, which is removed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { ROOT } from '../scripts/environment.mjs';
import { NOTEBOOKS } from '../scripts/notebook.mjs';
import { printTable, round } from './table.mjs';

/** Cells that take so many seconds have a row of their own. */
const LONG = 5;

/** Every process that a process has started, and those that they have. */
function descendants(pid) {
  try {
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children ? children.split(' ').flatMap((child) => [child, ...descendants(child)]) : [];
  } catch {
    return []; // it has ended, or the system tells no such thing
  }
}

/** Peak memory in bytes (VmHWM) of the process below `pid` whose command holds `script`; 0 where none is found. */
export function peakBelow(pid, script) {
  const peaks = descendants(pid).map((child) => {
    try {
      if (!fs.readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(script)) return 0;
      return 1024 * Number(/VmHWM:\s*(\d+)/.exec(fs.readFileSync(`/proc/${child}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return Math.max(0, ...peaks);
}

/**
 * What a headless run's lines tell: after `finetune 3/17: const a = 1;` the cell's seconds, such as `      1.2 s`.
 *
 * @param {AsyncIterable<string>} lines
 * @param {() => number} peak bytes, asked at each cell's end
 */
export async function readCells(lines, peak) {
  const cells = [];
  for await (const line of lines) {
    const started = /^\w+ (\d+)\/\d+: (.*)$/.exec(line);
    if (started) cells.push({ cell: Number(started[1]), code: started[2] });
    const seconds = /^ {6}(\d+\.\d) s$/.exec(line);
    if (seconds) Object.assign(cells.at(-1), { seconds: Number(seconds[1]), peakGB: round(peak() / 1e9) });
  }
  return cells;
}

/** Runs a notebook; its cells, and the kernel's peak. */
async function runMeasured(name, env) {
  const child = spawn(process.execPath, [path.join(ROOT, 'scripts', 'notebook.mjs'), name], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const cells = await readCells(readline.createInterface({ input: child.stdout }), () =>
    peakBelow(child.pid, 'kernel.mjs'),
  );
  if ((await ended) !== 0) throw new Error(`${name} did not run to its end.`);
  const seconds = round(cells.reduce((sum, cell) => sum + cell.seconds, 0));
  return { seconds, peakGB: Math.max(...cells.map(({ peakGB }) => peakGB)), cells };
}

export async function measureDefault() {
  const folder = path.join(ROOT, 'runs', 'bench');
  const at = (...names) => path.join(folder, ...names);
  const env = {
    ...process.env,
    OPENAI_API_KEY: '',
    OPENAI_BASE_URL: '',
    DATA_DIR: at('data'),
    TRAIN_DATASET: at('data', 'train_dataset.json'),
    VAL_DATASET: at('data', 'val_dataset.json'),
    TEST_DATASET: at('data', 'test_dataset.json'),
    OUTPUT_DIR: at('model'),
    FINETUNED_MODEL: at('model'),
    RESULTS_DIR: at('results'),
  };
  fs.rmSync(folder, { recursive: true, force: true });
  const result = {};
  try {
    for (const name of NOTEBOOKS) result[name] = await runMeasured(name, env);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  const cellsOf = (row) => [row.seconds.toFixed(1), row.peakGB ? row.peakGB.toFixed(2) : '–'];
  const rows = NOTEBOOKS.flatMap((name) => [
    [name, ...cellsOf(result[name])],
    ...result[name].cells
      .filter(({ seconds }) => seconds >= LONG)
      .map((row) => [`  cell ${row.cell}: ${row.code.slice(0, 50)}`, ...cellsOf(row)]),
  ]);
  printTable(['', 'seconds', 'peak GB so far'], rows);
  return result;
}
