// In: items, each of some size. Out: the same in order, in groups that a server takes at once.

/** Groups of at most `most` items, whose sizes add up to at most `limit`; a larger item has a group of its own. */
export function groupsWithin<T>(items: Iterable<T>, sizeOf: (item: T) => number, most: number, limit: number): T[][] {
  const groups: T[][] = [];
  let sum = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const size = sizeOf(item);
    sum += size;
    if (sum > limit || groups[groups.length - 1].length === most) {
      groups.push([]);
      sum = size;
    }
    groups[groups.length - 1].push(item);
  }
  return groups;
}
