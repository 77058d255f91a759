import { replaceEarlier } from 'finetune-embedding';
import { expect, it } from 'vitest';

it('replaceEarlier frees what the same name kept before, once, and nothing else', () => {
  const freed: string[] = [];
  const disposable = (id: string) => ({ id, dispose: () => freed.push(id) });
  const first = disposable('first');
  expect(replaceEarlier('model', first)).toBe(first);
  expect(replaceEarlier('model', first)).toBe(first);
  replaceEarlier('other', disposable('other'));
  expect(freed).toEqual([]);
  expect(replaceEarlier('model', disposable('second')).id).toBe('second');
  replaceEarlier('model', disposable('third'));
  expect(freed).toEqual(['first', 'second']);
});
