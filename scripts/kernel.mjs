// In: Jupyter's connection file. Out: the TypeScript kernel: checks set-up, compiles lib/ if a source changed, then
// runs tslab in this process.
// What is amiss is said in the first cell that runs.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { ROOT } from './environment.mjs';
import { endWithParent } from './processes.mjs';
import { library } from './setup/library.mjs';
import { packages } from './setup/packages.mjs';
import { python } from './setup/python.mjs';
import { isDone, runSteps, SetupError } from './setup/steps.mjs';
import { tensorflow } from './setup/tensorflow.mjs';

const connectionFile = process.argv[2];
const marker = path.join(ROOT, '.cache', 'kernels', path.basename(connectionFile));
endWithParent(process.env.JPY_PARENT_PID, [connectionFile, marker]);
const notes = [];

const undone = [packages, python, tensorflow].filter((step) => !isDone(step)).map(({ title }) => title);
if (undone.length > 0) {
  notes.push(
    `Set-up is not complete (${undone.join('; ')}). Close Jupyter, run \`npm run lab\` in ${ROOT}, and open the ` +
      'notebook there.',
  );
}

// Jupyter starts a kernel that has died again, under the same connection file.
if (fs.existsSync(marker)) {
  notes.push(
    'The kernel before this one ended without a word, as it does when memory runs out. Close other notebooks ' +
      '(Kernel ▸ Shut Down All Kernels), or take a smaller BATCH_SIZE or ' +
      'MAX_SEQ_LENGTH; then run the notebook from its first cell.',
  );
}
fs.mkdirSync(path.dirname(marker), { recursive: true });
fs.writeFileSync(marker, '');
process.on('exit', () => fs.rmSync(marker, { force: true }));
process.once('SIGTERM', () => process.exit(143));

try {
  await runSteps([library]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  notes.push(error.message);
}

const require = createRequire(import.meta.url);
let tslab;
try {
  tslab = { ...require('tslab/dist/main.js'), ...require('tslab/dist/jupyter.js') };
} catch (error) {
  console.error([...notes, error.message].join('\n'));
  process.exit(1);
}
const { startKernel, JupyterHandlerImpl } = tslab;
// The library changes with a kernel's start alone. tslab has one timer for all that it watches: a package.json that is
// touched while a cell runs would end the next one ("Unexpected pending rebuildTimer").
const { sys } = require('@tslab/typescript-for-tslab');
sys.watchFile = sys.watchDirectory = () => ({ close() {} });
// Of all @types, cells have Node's without asking: those of every installed package would take 35 MB.
const foldersIn = sys.getDirectories;
sys.getDirectories = (folder) => (path.basename(folder) === '@types' ? ['node'] : foldersIn(folder));
// What lies behind is collected as work goes on: TensorFlow, which may need the memory, cannot ask V8 for it.
v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc'); // takes a fifth of a second
const heldByScript = () => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
let heldBefore = heldByScript();
function collectAfterGrowth(much, options) {
  const isMuch = heldByScript() > heldBefore + much;
  if (isMuch) collectGarbage(options);
  heldBefore = isMuch ? heldByScript() : Math.min(heldBefore, heldByScript());
}
setInterval(() => collectAfterGrowth(40e6), 250).unref();
// Once a cell is compiled, V8 also gives back the room that it keeps, 50 MB.
const THOROUGHLY = { type: 'major', execution: 'sync', flavor: 'last-resort' };
const compiler = require('tslab/dist/converter.js');
const { createConverter } = compiler;
compiler.createConverter = (options) => {
  const converter = createConverter(options);
  return {
    ...converter,
    convert(...source) {
      const compiled = converter.convert(...source);
      collectAfterGrowth(20e6, THOROUGHLY);
      return compiled;
    },
  };
};
const execute = JupyterHandlerImpl.prototype.handleExecuteImpl;
JupyterHandlerImpl.prototype.handleExecuteImpl = function (request, writeStream, ...rest) {
  for (const note of notes.splice(0)) writeStream('stderr', `${note}\n`);
  return execute.call(this, request, writeStream, ...rest);
};
startKernel({ configPath: connectionFile, enableFindLocal: false });
