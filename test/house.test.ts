// The house rules that lib/README.md states, held against the sources: who imports whom, and what files are called.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const LIB = path.resolve('lib');
const STAGES = [
  'common',
  'corpus',
  'questions',
  'dataset',
  'model',
  'train',
  'evaluate',
  'search',
  'notebook',
  'extras',
];
/** Folders with an entry of their own, beside the index. */
const ENTRIES = ['search', 'extras'];

const sources = fs
  .readdirSync(LIB, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('dist'))
  .sort();
const textOf = (file: string) => fs.readFileSync(path.join(LIB, file), 'utf8');
const stageOf = (file: string) => file.split(path.sep)[0];

/** Files of lib that a file imports, types included, relative to lib. */
function importsOf(file: string): string[] {
  const specifiers = [...textOf(file).matchAll(/(?:from|import|require)\s*\(?\s*'(\.[^']*)'/g)].map(([, name]) => name);
  return specifiers.map((name) => {
    const target = path.join(path.dirname(file), name);
    const found = [`${target}.ts`, path.join(target, 'index.ts')].find((one) => sources.includes(one));
    if (!found) throw new Error(`${file} imports ${name}, which is not there`);
    return found;
  });
}
const graph = new Map(sources.map((file) => [file, importsOf(file)]));

/** A way from a file back to itself, if there is one. */
function circleFrom(start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const next of graph.get(file)!) {
      if (next === start) {
        const way = [file, start];
        while (way[0] !== start) way.unshift(cameFrom.get(way[0])!);
        return way;
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, file);
        open.push(next);
      }
    }
  }
  return undefined;
}

describe('the house', () => {
  it('is read as it stands', () => {
    expect(sources.length).toBeGreaterThan(80);
    expect([...graph.values()].flat().length).toBeGreaterThan(200);
  });

  it('has one folder a stage', () => {
    expect(new Set(sources.filter((file) => file !== 'index.ts').map(stageOf))).toEqual(new Set(STAGES));
  });

  it('imports from no later stage', () => {
    const upwards = [...graph].flatMap(([file, targets]) =>
      targets
        .filter((target) => file !== 'index.ts' && STAGES.indexOf(stageOf(target)) > STAGES.indexOf(stageOf(file)))
        .map((target) => `${file} → ${target}`),
    );
    expect(upwards).toEqual([]);
    expect(graph.get('index.ts')!.filter((target) => ENTRIES.includes(stageOf(target)))).toEqual([]);
  });

  it('goes in no circle', () => {
    const circles = sources.map(circleFrom).filter((way) => way !== undefined);
    expect(circles.map((way) => way.join(' → '))).toEqual([]);
  });

  it('calls files in kebab-case, and no two alike', () => {
    const names = sources.map((file) => path.basename(file)).filter((name) => name !== 'index.ts');
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name))).toEqual([]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('says in a file’s first line what comes in and what goes out', () => {
    const silent = sources.filter((file) => path.basename(file) !== 'index.ts' && !textOf(file).startsWith('// In: '));
    expect(silent).toEqual([]);
  });

  it('exports by name, and keeps comments within 120 characters', () => {
    expect(sources.filter((file) => file !== 'index.ts' && /^export \*/m.test(textOf(file)))).toEqual([]);
    const long = sources.flatMap((file) =>
      textOf(file)
        .split('\n')
        // Of code the formatter sees to it; of comments nobody else does.
        .flatMap((line, i) => (line.length > 120 && /^\s*(\/\/|\/?\*)/.test(line) ? [`${file}:${i + 1}`] : [])),
    );
    expect(long).toEqual([]);
  });

  it('has an index that a reader can take in', () => {
    const stages = sources.filter((file) => /^[a-z]+\/index\.ts$/.test(file) && !ENTRIES.includes(stageOf(file)));
    const names = stages.flatMap((file) =>
      [...textOf(file).matchAll(/\{([^}]*)\}/g)].flatMap(([, list]) => list.split(',').map((name) => name.trim())),
    );
    expect(names.filter(Boolean).length).toBeLessThanOrEqual(110);
  });
});
