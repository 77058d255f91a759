// A process group ends with its leader, and with the process that started it; a kernel ends with Jupyter.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { CAN_COUNT, Started } from './started';

const SCRIPT = JSON.stringify(pathToFileURL(path.resolve('scripts/processes.mjs')).href);
const node = (code: string, env: NodeJS.ProcessEnv = {}) =>
  new Started(process.execPath, ['--input-type=module', '-e', code], { ...process.env, ...env });
/** Starts `code` in a group of its own. */
const starting = (program: string, ...args: string[]) => `
  import { spawnGroup } from ${SCRIPT};
  const child = spawnGroup(${JSON.stringify(program)}, ${JSON.stringify(args)}, { stdio: 'inherit' });`;
/** Says that it is there, then computes for a minute without a pause. */
const BUSY = `
  import { endWithParent } from ${SCRIPT};
  endWithParent(process.env.PARENT, [process.env.FILE].filter(Boolean));
  setTimeout(() => {
    console.log('busy');
    for (const end = Date.now() + 60_000; Date.now() < end; );
  }, 200);`;

const says = (started: Started, word: string) =>
  vi.waitUntil(() => started.log.includes(word), { timeout: 20_000, interval: 20 });

describe.skipIf(!CAN_COUNT)('a process group', () => {
  it('ends with the process that started it, killed with -9, those included that it put behind itself', async () => {
    const started = node(starting('sh', '-c', 'sleep 60 & (sleep 60 &) ; echo ready; wait'));
    await says(started, 'ready');
    expect(started.alive()).toHaveLength(5);
    started.child.kill('SIGKILL');
    expect((await started.secondsToEnd()).left).toEqual([]);
  });

  it('ends with its leader, whose exit status is told', async () => {
    const started = node(`${starting('sh', '-c', 'sleep 60 & exit 3')}
      child.on('close', (code) => console.log('closed', code));`);
    await says(started, 'closed 3');
    expect((await started.secondsToEnd()).left).toEqual([]);
  });

  it('that cannot be started keeps nobody waiting', async () => {
    const started = node(`${starting('no-such-program-here')} child.on('error', ({ code }) => console.log(code));`);
    await says(started, 'ENOENT');
    expect((await started.secondsToEnd()).left).toEqual([]);
  });
});

describe.skipIf(!CAN_COUNT)('a process that ends with its parent', () => {
  it('does so while it computes, in a session of its own, and takes its files along', async () => {
    const spawning = `
      import { spawn } from 'node:child_process';
      spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(BUSY)}], { stdio: 'inherit', detached: true });
      setTimeout(() => {}, 60_000);`;
    const file = path.join(os.tmpdir(), `busy-${process.pid}`);
    fs.writeFileSync(file, '');
    const started = node(spawning, { FILE: file });
    await says(started, 'busy');
    expect(started.alive()).toHaveLength(2);
    started.child.kill('SIGKILL');
    expect((await started.secondsToEnd()).left).toEqual([]);
    expect(fs.existsSync(file)).toBe(false);
  });

  it('does so where the parent had ended before it looked, and is known by its number', async () => {
    const started = node(BUSY, { PARENT: String(spawnSync('true').pid) });
    expect((await started.secondsToEnd()).left).toEqual([]);
  });

  it('goes on while its parent does', async () => {
    const started = node(`import { endWithParent } from ${SCRIPT}; endWithParent(); setTimeout(() => {}, 1000);`);
    expect(await started.ended).toBe(0);
  });
});
