// What ids are made of.
import fs from 'node:fs';
import path from 'node:path';
import { hashFile, sha256 } from 'finetune-embedding/dist/common/ids.js';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../fixtures/engine';

it('hashes a file of any size, as Node reads none of more than 2 GiB at once', () => {
  const file = path.join(temporaryFolder(), 'weights');
  fs.writeFileSync(file, 'ab'.repeat(1_000_000));
  expect(hashFile(file)).toBe(sha256('ab'.repeat(1_000_000)));
  fs.truncateSync(file, 2 ** 31 + 1); // zeros that take no space
  expect(hashFile(file)).toMatch(/^[0-9a-f]{64}$/);
});
