// In: arguments of vitest. Out: all checks: types, lint, then every test.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { NODE_MODULES, ROOT } from './environment.mjs';

const modules = (file) => path.join(NODE_MODULES, file);
const CHECKS = [
  ['types', [modules('typescript/bin/tsc'), '-p', ROOT]],
  ['lint', [modules('@biomejs/biome/bin/biome'), 'check', ROOT]],
  ['tests', [modules('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)]],
];
for (const [name, command] of CHECKS) {
  console.log(`\n${name}`);
  // The linter makes a folder for its logs, empty or not.
  const env = { ...process.env, ...(name === 'lint' && { XDG_CACHE_HOME: path.join(ROOT, '.cache') }) };
  const { status } = spawnSync(process.execPath, command, { cwd: ROOT, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}
