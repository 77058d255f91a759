// In: the distances of some things from each other. Out: which of them belong together, in so many clusters.

/**
 * Ward's method: again and again the two clusters are merged whose merging adds least to the variance within clusters,
 * until `clusters` are left. By chains of nearest neighbours, in a time of O(n²) (Murtagh 1983, "A Survey of Recent
 * Advances in Hierarchical Clustering Algorithms", section 4), with distances to a merged cluster by Lance and
 * Williams's formula: the clusters of SciPy's `linkage(…, "ward")`.
 *
 * @param distances `[things, things]`, symmetric
 * @param clusters how many, from 1 to `things`
 * @returns each thing's cluster, numbered from 0 as they first appear
 */
export function wardClusters(distances: Float32Array, things: number, clusters: number): Int32Array {
  const squares = new Float64Array(distances).map((distance) => distance ** 2);
  const sizes = new Int32Array(things).fill(1); // 0: merged into another
  const merges: { from: number; into: number; height: number }[] = [];
  const chain: number[] = [];
  while (merges.length < things - 1) {
    if (chain.length === 0) chain.push(sizes.findIndex((size) => size > 0));
    const last = chain[chain.length - 1];
    // Of equally near ones the one before is taken, or the chain would go in circles.
    let nearest = chain[chain.length - 2] ?? -1;
    let height = nearest < 0 ? Number.POSITIVE_INFINITY : squares[last * things + nearest];
    for (let other = 0; other < things; other++) {
      if (other === last || sizes[other] === 0 || squares[last * things + other] >= height) continue;
      nearest = other;
      height = squares[last * things + other];
    }
    if (nearest !== chain[chain.length - 2]) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    merges.push({ from: last, into: nearest, height });
    const [a, b] = [sizes[last], sizes[nearest]];
    for (let other = 0; other < things; other++) {
      const c = sizes[other];
      const ofBoth = (a + c) * squares[last * things + other] + (b + c) * squares[nearest * things + other];
      const merged = (ofBoth - c * height) / (a + b + c);
      squares[nearest * things + other] = squares[other * things + nearest] = merged;
    }
    sizes[nearest] += a;
    sizes[last] = 0;
  }
  return labels(merges.sort((a, b) => a.height - b.height).slice(0, things - clusters), things);
}

/** Things that are merged, directly or not, get one number. */
function labels(merges: { from: number; into: number }[], things: number): Int32Array {
  const parents = new Map(merges.map(({ from, into }) => [from, into]));
  const numbers = new Map<number, number>();
  return Int32Array.from({ length: things }, (_, thing) => {
    let root = thing;
    while (parents.has(root)) root = parents.get(root)!;
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root)!;
  });
}
