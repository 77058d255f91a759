// In: a path, a folder or a glob. Out: the files it stands for.
import fs from 'node:fs/promises';
import path from 'node:path';

const HIDDEN = /(^|[\\/])(?:\.[^.\\/]|node_modules(?:[\\/]|$))/;

/**
 * The files that a path, a folder (with all its sub-folders) or a glob stands for, in the order of their names; links
 * that lead nowhere too, so that the reader names them.
 */
export async function expand(pattern: string): Promise<string[]> {
  const stats = await fs.stat(pattern).catch(() => null);
  if (stats?.isFile()) return [pattern];
  const files: string[] = [];
  // A folder is no part of the glob: its name may hold brackets.
  for await (const entry of stats ? fs.glob('**/*', { cwd: pattern }) : fs.glob(pattern)) {
    const file = stats ? path.join(pattern, entry) : entry;
    const found = await fs.stat(file).catch(() => null);
    if (!HIDDEN.test(entry) && !found?.isDirectory()) files.push(file);
  }
  return files.sort();
}
