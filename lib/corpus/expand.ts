// In: a path, a folder or a glob. Out: the files it stands for.
import fs from 'node:fs/promises';
import path from 'node:path';

/** The files that a path, a folder (with all its sub-folders) or a glob stands for, in the order of their names. */
export async function expand(pattern: string): Promise<string[]> {
  const stats = await fs.stat(pattern).catch(() => null);
  if (stats?.isFile()) return [pattern];
  const files: string[] = [];
  for await (const entry of fs.glob(stats ? path.join(pattern, '**/*') : pattern)) {
    const hidden = /(^|[\\/])(?:\.[^.\\/]|node_modules(?:[\\/]|$))/.test(stats ? path.relative(pattern, entry) : entry);
    if (!hidden && (await fs.stat(entry)).isFile()) files.push(entry);
  }
  return files.sort();
}
