// In: lib/. Out: lib/dist, compiled again when a source changed.
import fs from 'node:fs';
import path from 'node:path';
import { NODE_MODULES, ROOT } from '../environment.mjs';
import { fingerprint, run } from './steps.mjs';

const LIB = path.join(ROOT, 'lib');

function sources() {
  return fs
    .readdirSync(LIB, { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.startsWith(`dist${path.sep}`))
    .sort()
    .map((file) => path.join(LIB, file));
}

/** @type {import('./steps.mjs').Step} */
export const library = {
  title: 'the library (lib)',
  stamp: path.join(LIB, 'dist', '.setup'),
  inputs: () => {
    const files = sources();
    return fingerprint([...files, path.join(LIB, 'tsconfig.json'), path.join(ROOT, 'tsconfig.json')], files.join());
  },
  makes: [path.join(LIB, 'dist', 'index.js')],
  run: async () => {
    await run([process.execPath, path.join(NODE_MODULES, 'typescript', 'bin', 'tsc'), '-p', LIB], { cwd: ROOT });
  },
  advice: 'mend the type errors above.',
};
