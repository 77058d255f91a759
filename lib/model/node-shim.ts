// In: Node's `util`. Out: the same with two functions that @tensorflow/tfjs-node calls; imported before it. Node 23
// removed isNullOrUndefined, and newer versions warn about isArray.
import util from 'node:util';

const legacy = util as unknown as Record<string, (value: unknown) => boolean>;
legacy.isNullOrUndefined = (value) => value === null || value === undefined;
legacy.isArray = Array.isArray;
