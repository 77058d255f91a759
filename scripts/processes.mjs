// In: a command. Out: its process, of which nothing is left once the process that started it has ended, however it did.
import { spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';

/**
 * A shell in a session of its own, which no Ctrl-C reaches. It reads the number of a process group, then waits for the
 * end of the pipe, which comes when the process that holds its other end has ended, even by kill -9; then ends the group.
 */
const GUARD = 'read group && { read end; kill -s KILL -- "-$group"; }';

/**
 * Starts a program as the leader of a process group. The group ends when the leader has ended, or this process has.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {import('node:child_process').ChildProcess}
 */
export function spawnGroup(program, args, options) {
  const guard = spawn('sh', ['-c', GUARD], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const child = spawn(program, args, { ...options, detached: true });
  // A guard that was ended with everything else has nothing to be told.
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  if (child.pid) guard.stdin.write(`${child.pid}\n`);
  guard.unref();
  guard.stdin.unref();
  for (const event of ['exit', 'error']) child.on(event, () => guard.stdin.end());
  return child;
}

/** Ends the group of a child of {@link spawnGroup} at once. */
export function endGroup({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Ends this process within half a second after its parent has ended: npm, or Jupyter, which puts a kernel into a session
 * of its own. In a thread, for a kernel that computes does not get to its timers.
 *
 * @param {string} [pid] the parent's number, where it was told: it may have ended before this process could look
 * @param {string[]} [files] what only this process needs, removed with it
 */
export function endWithParent(pid, files = []) {
  const watch = `
    const { seen, named, files } = require('node:worker_threads').workerData;
    const isThere = (pid) => { try { return process.kill(pid, 0); } catch { return false; } };
    setInterval(() => {
      if (process.ppid === seen && isThere(named)) return;
      try {
        for (const file of files) require('node:fs').rmSync(file, { force: true });
      } finally {
        process.kill(process.pid, 'SIGKILL');
      }
    }, 250);`;
  const workerData = { seen: process.ppid, named: Number(pid) || process.ppid, files };
  new Worker(watch, { eval: true, execArgv: [], workerData }).unref();
}
