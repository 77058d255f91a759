import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendRun, hashFile, readRuns } from 'finetune-embedding';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from './helpers';

afterEach(() => vi.unstubAllEnvs());

const run = (hitRate: number) => ({
  notebook: 'evaluate',
  settings: { TOP_K: 5, BASE_MODEL: 'all-MiniLM-L6-v2' },
  data: { 'val_dataset.json': 'ab12' },
  results: { base: { hitRate } },
});

describe('the run log', () => {
  it('keeps runs in order, with time and versions', () => {
    const path = join(temporaryFolder(), 'results', 'runs.jsonl');
    expect(readRuns(path)).toEqual([]);
    appendRun(path, run(0.5));
    const second = appendRun(path, run(0.75));
    const runs = readRuns(path);
    expect(runs.map(({ results }) => results.base.hitRate)).toEqual([0.5, 0.75]);
    expect(runs[1]).toEqual(second);
    expect(runs[0].versions.node).toBe(process.versions.node);
    expect(runs[0].versions['finetune-embedding']).toMatch(/^\d+\.\d+/);
    expect(Math.abs(Date.parse(runs[0].time) - Date.now())).toBeLessThan(60_000);
  });

  it('names a line that is not a run, and keeps it when appending', () => {
    const path = join(temporaryFolder(), 'runs.jsonl');
    appendRun(path, run(0.5));
    appendFileSync(path, '{"half":');
    expect(() => readRuns(path)).toThrow(/line 2/);
    appendRun(path, run(0.75));
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4);
  });

  it('takes in no API key', () => {
    vi.stubEnv('OPENAI_API_KEY', 'secret-of-the-user');
    const path = join(temporaryFolder(), 'runs.jsonl');
    const leaking = { ...run(1), settings: { OPENAI_BASE_URL: 'http://secret-of-the-user@localhost' } };
    expect(() => appendRun(path, leaking)).toThrow(/API key/);
    expect(readRuns(path)).toEqual([]);
  });

  it('hashes files', () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'abc');
    // The example of FIPS 180-2, appendix B.1.
    expect(hashFile(path)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
