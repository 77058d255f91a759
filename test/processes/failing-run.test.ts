// A headless run that fails: its last line is what a person needs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outputTexts, Workplace } from '../notebooks/slice';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'failing-'));
const workplace = new Workplace(folder, {});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** A notebook with a heading, a cell that runs, the one given, and one behind it that was run some day. */
function notebookOf(source: string): string {
  const code = (text: string, outputs: unknown[] = []) => ({
    cell_type: 'code',
    id: `c${text.length}`,
    source: text,
    outputs,
    execution_count: null,
    metadata: {},
  });
  const old = [{ output_type: 'stream', name: 'stdout', text: 'of some day' }];
  const cells = [
    { cell_type: 'markdown', id: 'h', source: '# A notebook\n\n## Load it', metadata: {} },
    code('const one = 1;'),
    code(source),
    code('console.log(one)', old),
  ];
  const metadata = { kernelspec: { name: 'tslab', display_name: 'TypeScript', language: 'typescript' } };
  return workplace.write('some.ipynb', JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
}

describe('a headless run that fails ends with notebook, cell and message', () => {
  it.each([
    [
      'an error meant for the user, without a stack',
      "const read = async () => { throw new Error('data.json: no such file.\\nRun it first.'); };\nawait read();",
      'data.json: no such file.\nRun it first.',
    ],
    [
      'a mistake, by its name',
      'const nothing: any = null;\nnothing.length;',
      /^TypeError: Cannot read properties of null/,
    ],
    ['what does not compile', 'const n: number = two;', /^1:\d+ - Cannot find name 'two'\.$/],
    [
      'a kernel that ended',
      "process.kill(process.pid, 'SIGKILL');",
      /^the kernel ended without a word, as when memory runs out/,
    ],
  ])('%s', async (_, source, message) => {
    const { code, log, notebook } = await workplace.run('some', {}, notebookOf(source));
    expect(code).toBe(1);
    const [, where, said] = /\n\n(.*?): (.*)\n$/s.exec(log)!;
    expect(where).toBe('some, cell 2 of 3 (Load it)');
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
    expect(log).not.toMatch(/^ +at |Traceback/m);
    // Where the copy is, once; in it nothing of a run of some day.
    expect(log.match(/runs\/some\.ipynb/g)).toHaveLength(1);
    expect(outputTexts(notebook).join()).not.toContain('of some day');
  });
});
