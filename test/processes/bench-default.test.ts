// What `npm run bench -- default` reads: the lines of a headless run, and the memory of a process among those it started.
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
// @ts-expect-error the measurements are plain JavaScript, without declarations
import { peakBelow, readCells } from '../../bench/default.mjs';

async function* linesOf(text: string) {
  yield* text.split('\n');
}

describe('bench default', () => {
  it('reads cells, their seconds and the peak at their ends, whatever live outputs say', async () => {
    const peaks = [1e9, 2.5e9];
    const printed = `finetune 1/2: import * as fe from 'finetune-embedding';
      2.7 s
finetune 2/2: const recipe: fe.Recipe = {
      Training: 4/10 · 0.13/s · 47 s left
      148.7 s
finetune: all cells ran after 190 s; see runs/finetune.ipynb`;
    expect(await readCells(linesOf(printed), () => peaks.shift())).toEqual([
      { cell: 1, code: "import * as fe from 'finetune-embedding';", seconds: 2.7, peakGB: 1 },
      { cell: 2, code: 'const recipe: fe.Recipe = {', seconds: 148.7, peakGB: 2.5 },
    ]);
  });

  it.runIf(process.platform === 'linux')('finds the peak of a process further down, by what it runs', async () => {
    const grandchild =
      "const held = Buffer.alloc(2e8, 1); console.log('kernel.mjs', held.length); setInterval(() => {}, 1e4)";
    const child = spawn('sh', ['-c', `"${process.execPath}" -e "$0"; true`, grandchild], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const peak = peakBelow(process.pid, 'kernel.mjs');
      expect(peak).toBeGreaterThan(2e8);
      expect(peak).toBeLessThan(1e9);
      expect(peakBelow(process.pid, 'no such script')).toBe(0);
    } finally {
      process.kill(-(child.pid as number), 'SIGKILL'); // the shell and what it started
    }
  });
});
