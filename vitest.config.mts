import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

// Vitest keeps a token of its server there, whether it has a server or not.
process.env.XDG_DATA_HOME ??= resolve('.cache');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
