// In: texts and their vectors. Out: the vectors again, in a later run.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../common/files';
import { contentId } from '../common/ids';

/** Keeps vectors in files named by the hash of what made them: neither text nor settings are on disk. */
export class VectorCache {
  /** @param origin what, besides the text, decides a vector: server and model */
  constructor(
    private readonly folder: string,
    private readonly origin: string[],
  ) {}

  get(text: string): Float32Array | undefined {
    const path = this.path(text);
    if (!existsSync(path)) return undefined;
    const bytes = readFileSync(path);
    // A copy, because a Buffer may start where a Float32Array cannot.
    return new Float32Array(new Uint8Array(bytes).buffer);
  }

  set(text: string, vector: Float32Array): void {
    writeWhole(this.path(text), new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  }

  private path(text: string): string {
    const hash = contentId(...this.origin, text);
    return join(this.folder, hash.slice(0, 2), `${hash}.f32`);
  }
}
