// In: the lock file. Out: npm packages, without their install scripts: one of them downloads from a host that many
// networks block.
import path from 'node:path';
import { NODE_MODULES, PINNED_NODE, ROOT } from '../environment.mjs';
import { fingerprint, run } from './steps.mjs';

/** npm, run by the Node that npm itself runs on: the one in node_modules is replaced meanwhile. */
function npm() {
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  return script?.endsWith('.js') && node && !node.startsWith(NODE_MODULES) ? [node, script] : ['npm'];
}

const lockFiles = ['package.json', 'package-lock.json', 'lib/package.json'].map((file) => path.join(ROOT, file));

/** @type {import('./steps.mjs').Step} */
export const packages = {
  title: 'npm packages',
  stamp: path.join(NODE_MODULES, '.setup', 'packages'),
  inputs: () => fingerprint(lockFiles),
  run: async () => {
    await run([...npm(), 'ci', '--ignore-scripts', '--include=dev', '--loglevel=error'], { cwd: ROOT });
  },
  advice: 'check that the npm registry is reachable (npm ping) and that the disk has 3 GB free.',
};

/** @type {import('./steps.mjs').Step} */
export const pinnedNode = {
  title: 'Node 24',
  stamp: path.join(NODE_MODULES, '.setup', 'node'),
  inputs: () => fingerprint(lockFiles),
  makes: [PINNED_NODE],
  run: async () => {
    await run([...npm(), 'rebuild', 'node', '--foreground-scripts'], { cwd: ROOT });
    return (await run([PINNED_NODE, '--version'])).trim();
  },
  advice: 'install Node 24 or newer yourself; the project then uses it.',
};
