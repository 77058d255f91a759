// In: a path, and a large file's bytes part by part. Out: that file, whole or not at all, one part in memory at a time.
import fs from 'node:fs';
import path from 'node:path';

/** Writes under a temporary name in the same folder, to the disk, then renames; each part is asked for in its turn. */
export function writeParts(file: string, parts: Iterable<Uint8Array>): void {
  const unfinished = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  const descriptor = fs.openSync(unfinished, 'w');
  try {
    try {
      for (const part of parts) fs.writeFileSync(descriptor, part);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(unfinished, file);
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}
