// In: a model that a cell has loaded. Out: the same, with the one that the cell loaded when it last ran disposed of.

const kept = new Map<string, { dispose(): void }>();

/**
 * Keeps what a cell has made under a name, and frees what an earlier run of the cell kept there. A notebook declares a
 * constant anew each time its cell runs; a model behind the old one would stay in memory, as TensorFlow's tensors are
 * not garbage-collected.
 *
 *     const model = replaceEarlier('model', await loadModel(BASE_MODEL));
 */
export function replaceEarlier<T extends { dispose(): void }>(name: string, made: T): T {
  const earlier = kept.get(name);
  if (earlier !== made) earlier?.dispose();
  kept.set(name, made);
  return made;
}
