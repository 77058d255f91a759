import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readJson, writeJson, writeWhole } from 'finetune-embedding/dist/common/files.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'files-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

describe('writeWhole', () => {
  it('makes the folders, takes the place of an earlier file, and leaves nothing else behind', () => {
    writeWhole(at('deep/er/a.txt'), 'one');
    writeWhole(at('deep/er/a.txt'), new Uint8Array([50, 51]));
    expect(fs.readFileSync(at('deep/er/a.txt'), 'utf8')).toBe('23');
    expect(fs.readdirSync(at('deep/er'))).toEqual(['a.txt']);
  });

  it('keeps the earlier file, and nothing of the new one, when writing fails', () => {
    fs.mkdirSync(at('taken/inside'), { recursive: true });
    expect(() => writeWhole(at('taken'), 'x')).toThrow();
    expect(fs.readdirSync(folder)).toEqual(['taken']);
  });

  it.skipIf(process.platform === 'win32')('puts no half file in the place of a whole one when the disk is full', () => {
    fs.writeFileSync(at('a.txt'), 'whole');
    // A limit on a file's size, as a full disk: the system takes a part of the bytes, then refuses the rest.
    const script = `
      process.on('SIGXFSZ', () => {});
      const { writeWhole } = require('finetune-embedding/dist/common/files.js');
      try { writeWhole(${JSON.stringify(at('a.txt'))}, 'x'.repeat(100_000)); } catch (error) { console.log(error.code); }`;
    const { stdout } = spawnSync('sh', ['-c', 'ulimit -f 8; exec "$0" -e "$1"', process.execPath, script], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe('EFBIG');
    expect(fs.readdirSync(folder)).toEqual(['a.txt']);
    expect(fs.readFileSync(at('a.txt'), 'utf8')).toBe('whole');
  });
});

describe('JSON', () => {
  it('comes back as it was written, a byte order mark or not', () => {
    writeJson(at('a.json'), { é: [1, null] });
    expect(readJson(at('a.json'))).toEqual({ é: [1, null] });
    fs.writeFileSync(at('b.json'), '\ufeff[2]');
    expect(readJson(at('b.json'))).toEqual([2]);
  });

  it('is refused by the name of its file', () => {
    expect(() => readJson(at('none.json'), 'Make it first.')).toThrow(
      /none\.json: there is no such file\. Make it first/,
    );
    expect(() => readJson(folder)).toThrow(/files-.*: cannot be read: EISDIR/);
    fs.writeFileSync(at('half.json'), '{"a":');
    expect(() => readJson(at('half.json'))).toThrow(/half\.json: is not JSON/);
  });

  it('is refused where its bytes are no UTF-8, not read with marks for them', () => {
    fs.writeFileSync(at('latin.json'), Buffer.from('["caf\xe9"]', 'latin1'));
    expect(() => readJson(at('latin.json'))).toThrow(/latin\.json: is not JSON: .*utf-8/);
    fs.writeFileSync(at('replaced.json'), '["caf\ufffd"]');
    expect(readJson(at('replaced.json'))).toEqual(['caf\ufffd']);
  });
});
