// Runs the steps of set-up: each knows from a stamp whether it is done, says what it does, how long it took, and what to do if it fails.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Reads files (missing ones count as empty) and strings into one hash. */
export function fingerprint(files, ...texts) {
  const hash = crypto.createHash('sha256');
  for (const file of files) hash.update(fs.existsSync(file) ? fs.readFileSync(file) : '').update('\0');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}

/** An error whose message is meant for the user, without a stack. */
export class SetupError extends Error {}

/** Of a failed command's output, so many lines from its start and its end are shown. */
const SHOWN_LINES = { first: 6, last: 12 };

/**
 * Runs a command quietly.
 *
 * @param {string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutSeconds?: number }} [options]
 * @returns {Promise<string>} what it printed
 * @throws {SetupError} with the command's last lines if it fails or takes too long
 */
export function run([program, ...args], { cwd, env, timeoutSeconds } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (data) => {
      output = (output + data).slice(-200_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = timeoutSeconds && setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1000);
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

/**
 * Runs the steps that are not done, in order.
 *
 * @param {Step[]} steps
 */
export async function runSteps(steps) {
  for (const step of steps) {
    const inputs = step.inputs();
    const isMade = (step.makes ?? []).every((file) => fs.existsSync(file));
    if (isMade && fs.existsSync(step.stamp) && fs.readFileSync(step.stamp, 'utf8') === inputs) continue;
    const started = performance.now();
    process.stdout.write(`set-up: ${step.title} … `);
    try {
      fs.rmSync(step.stamp, { force: true });
      const remark = await step.run();
      fs.mkdirSync(path.dirname(step.stamp), { recursive: true });
      fs.writeFileSync(`${step.stamp}.tmp`, step.inputs());
      fs.renameSync(`${step.stamp}.tmp`, step.stamp);
      console.log(`${((performance.now() - started) / 1000).toFixed(1)} s${remark ? ` (${remark})` : ''}`);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      console.log('failed');
      throw new SetupError(
        `Set-up stopped at: ${step.title}\n  ${error.message}\n  What to do: ${step.advice}\n  Then run the same command again; it goes on where it stopped.`,
      );
    }
  }
}
