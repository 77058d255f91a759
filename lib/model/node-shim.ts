// Must be imported before @tensorflow/tfjs-node, which calls two functions of `node:util` that newer versions of Node removed
// (isNullOrUndefined, Node 23) or warn about (isArray).
import util from 'node:util';

const legacy = util as unknown as Record<string, (value: unknown) => boolean>;
legacy.isNullOrUndefined = (value) => value === null || value === undefined;
legacy.isArray = Array.isArray;
