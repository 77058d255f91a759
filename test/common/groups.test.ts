import { groupsWithin } from 'finetune-embedding/dist/common/groups.js';
import { expect, it } from 'vitest';

const groups = (items: string[], most: number, limit: number) =>
  groupsWithin(items, ({ length }) => length, most, limit);

it('groups items by their number and by their sizes, each in its place', () => {
  expect(groups(['aa', 'bb', 'cc', 'dddd', 'e'], 2, 5)).toEqual([['aa', 'bb'], ['cc'], ['dddd', 'e']]);
  expect(groups(['a', 'bbbbbb', 'c', 'd'], 9, 5)).toEqual([['a'], ['bbbbbb'], ['c', 'd']]);
  expect(groups([], 2, 5)).toEqual([]);
});
