// In: the steps of set-up. Out: their work, done once: each knows from a stamp whether it is done, says what it does,
// how long it took, and what to do if it fails.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../environment.mjs';
import { endGroup, spawnGroup } from '../processes.mjs';
import { takeLock } from './lock.mjs';

const LOCK = path.join(ROOT, '.cache', 'setup.lock');

/** Reads files (missing ones count as empty) and strings into one hash. */
export function fingerprint(files, ...texts) {
  const hash = crypto.createHash('sha256');
  for (const file of files) hash.update(fs.existsSync(file) ? fs.readFileSync(file) : '').update('\0');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}

/** The file appears whole or not at all. */
export function writeWhole(file, contents) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.tmp`, contents);
  fs.renameSync(`${file}.tmp`, file);
}

/** An error whose message is meant for the user, without a stack. */
export class SetupError extends Error {}

/** Of a failed command's output, so many lines from its start and its end are shown. */
const SHOWN_LINES = { first: 6, last: 12 };

/** For a command that downloads: what npm and pip have fetched until then is kept, and not fetched again. */
const LIMIT_SECONDS = 1800;

/**
 * Runs a command quietly. If this process ends, or the time is up, the command ends with all that it started.
 *
 * @param {string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutSeconds?: number }} [options]
 * @returns {Promise<string>} what it printed
 * @throws {SetupError} with the command's last lines if it fails or takes too long
 */
export function run([program, ...args], { cwd, env, timeoutSeconds = LIMIT_SECONDS } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawnGroup(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (data) => {
      output = (output + data).slice(-200_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      endGroup(child);
    }, timeoutSeconds * 1000);
    const fail = (why) => {
      const lines = output.trimEnd().split('\n');
      const { first, last } = SHOWN_LINES;
      const shown = lines.length > first + last ? [...lines.slice(0, first), '…', ...lines.slice(-last)] : lines;
      reject(new SetupError(`${[path.basename(program), ...args].join(' ')} ${why}:\n    ${shown.join('\n    ')}`));
    };
    child.on('error', (error) => fail(`could not be started (${error.message})`));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else if (isLate) fail(`was ended: it was not done after ${timeoutSeconds / 60} minutes`);
      else fail(signal ? `was ended by ${signal}` : `failed with exit status ${code}`);
    });
  });
}

/**
 * One step of set-up.
 *
 * @typedef {object} Step
 * @property {string} title What it does, shown while it runs.
 * @property {string} stamp File that holds the fingerprint of the step's inputs once it has succeeded.
 * @property {() => string} inputs Fingerprint of what the step depends on.
 * @property {string[]} [makes] Paths that must exist for the step to count as done.
 * @property {() => Promise<string | void>} run Does it; may return a remark.
 * @property {string} advice What the user can do when it fails.
 */

/** Whether a step has succeeded with the inputs of now, and what it made is there. */
export function isDone({ stamp, inputs, makes = [] }) {
  return (
    makes.every((file) => fs.existsSync(file)) && fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === inputs()
  );
}

async function runStep(step) {
  const started = performance.now();
  process.stdout.write(`set-up: ${step.title} … `);
  try {
    fs.rmSync(step.stamp, { force: true });
    const remark = await step.run();
    writeWhole(step.stamp, step.inputs());
    console.log(`${((performance.now() - started) / 1000).toFixed(1)} s${remark ? ` (${remark})` : ''}`);
  } catch (error) {
    // A folder that cannot be written to, or a full disk, is the user's matter as much as a failed command.
    if (!(error instanceof SetupError || error.syscall)) throw error;
    console.log('failed');
    throw new SetupError(
      `Set-up stopped at: ${step.title}\n  ${error.message}\n  What to do: ${step.advice}\n` +
        '  Then run the same command again; it goes on where it stopped.',
    );
  }
}

/**
 * Runs the steps that are not done, in order. One process at a time: two would take each other's half-made files away.
 *
 * @param {Step[]} steps
 * @param {string} [lock] the file that says who is at work
 */
export async function runSteps(steps, lock = LOCK) {
  if (steps.every(isDone)) return;
  const onWait = (pid) => console.log(`set-up: waits for another set-up in this folder (process ${pid})`);
  const giveBack = await takeLock(lock, { onWait }).catch((error) => {
    throw new SetupError(
      `Set-up cannot start: ${error.message}\n  What to do: check that the project folder can be written to.`,
    );
  });
  try {
    for (const step of steps) if (!isDone(step)) await runStep(step);
  } finally {
    giveBack();
  }
}
