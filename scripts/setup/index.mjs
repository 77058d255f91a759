// In: a clone. Out: everything the project needs, inside its folder. Idempotent; quick when nothing changed; goes on
// after an interruption.
import { PINNED_NODE } from '../environment.mjs';
import { library } from './library.mjs';
import { packages, pinnedNode } from './packages.mjs';
import { kernel, python } from './python.mjs';
import { runSteps } from './steps.mjs';
import { tensorflow } from './tensorflow.mjs';

/**
 * Brings the project into working order.
 *
 * @returns {Promise<string>} the Node to run everything else on
 */
export async function setUp() {
  // The library takes Float16Array from 24 on; openai, vitest and jsdom need 22.12.
  const useOwn = Number.parseInt(process.versions.node, 10) >= 24 && process.execPath !== PINNED_NODE;
  // Steps and their child processes need to know it, before and after it is there.
  process.env.FINETUNE_NODE = useOwn ? process.execPath : PINNED_NODE;
  await runSteps([packages, ...(useOwn ? [] : [pinnedNode]), python, tensorflow, kernel, library]);
  return process.env.FINETUNE_NODE;
}
