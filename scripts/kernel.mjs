// What Jupyter starts as the TypeScript kernel: compiles lib/ if a source changed, then runs tslab in this process.
import { createRequire } from 'node:module';
import { library } from './setup/library.mjs';
import { runSteps, SetupError } from './setup/steps.mjs';

try {
  await runSteps([library]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  // The cells show what is wrong better than a kernel that does not start.
  console.error(error.message);
}
const { startKernel } = createRequire(import.meta.url)('tslab/dist/main.js');
startKernel({ configPath: process.argv[2], enableFindLocal: false });
