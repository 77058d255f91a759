// What set-up installs is pinned, and is installed again where the folder, or what it refers to, has changed.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
// @ts-expect-error the scripts are plain JavaScript, without declarations
import { ROOT, stateEnvironment, VENV } from '../../scripts/environment.mjs';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'project-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A step of set-up as it is in a copy of the project. */
async function stepIn(copy: string, file: string, name: string) {
  fs.cpSync('scripts', path.join(copy, 'scripts'), { recursive: true });
  fs.copyFileSync('requirements.txt', path.join(copy, 'requirements.txt'));
  return (await import(pathToFileURL(path.join(copy, 'scripts/setup', file)).href))[name];
}

describe('the lock files', () => {
  const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8')).packages as Record<
    string,
    { version?: string; resolved?: string; integrity?: string; link?: boolean }
  >;

  it('pin every npm package by version and checksum, and name no registry', () => {
    const packages = Object.entries(lock).filter(([name, { link }]) => name.includes('node_modules/') && !link);
    expect(packages.length).toBeGreaterThan(300);
    for (const [name, { version, integrity, resolved }] of packages) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d/)]);
      expect([name, integrity]).toEqual([name, expect.stringMatching(/^sha\d+-/)]);
      expect([name, resolved]).toEqual([name, undefined]);
    }
  });

  it('pin what package.json and requirements.txt ask for', () => {
    const { dependencies, devDependencies } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect([name, version]).toEqual([name, lock[`node_modules/${name}`].version]);
    }
    const lines = fs.readFileSync('requirements.txt', 'utf8').split('\n');
    for (const line of lines.filter((text) => text && !text.startsWith('#')))
      expect(line).toMatch(/^[a-z0-9-]+==[0-9][0-9.]*( ; python_version < "3\.\d+")?$/);
  });
});

describe('the npm packages', () => {
  it('include those for development, whatever NODE_ENV says: the compiler is one of them', async () => {
    const npm = path.join(folder, 'bin/npm');
    fs.mkdirSync(path.dirname(npm));
    fs.writeFileSync(npm, `#!/bin/sh\necho "$@" > ${folder}/asked\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${path.dirname(npm)}:${process.env.PATH}`);
    vi.stubEnv('npm_execpath', '');
    await (await stepIn(folder, 'packages.mjs', 'packages')).run();
    const asked = fs.readFileSync(path.join(folder, 'asked'), 'utf8');
    expect(asked).toMatch(/^ci --ignore-scripts --include=dev /);
  });
});

describe('what npm and Jupyter write for themselves', () => {
  it.each([
    ['npm', 'npm', ['config', 'get', 'cache']],
    ['Jupyter', path.join(VENV, 'bin/jupyter'), ['--data-dir']],
    ['a running Jupyter', path.join(VENV, 'bin/jupyter'), ['--runtime-dir']],
  ])('stays in the folder: %s', (_, program, args) => {
    const env = { PATH: process.env.PATH, HOME: folder, ...stateEnvironment };
    const { stdout } = spawnSync(program, args, { cwd: ROOT, env, encoding: 'utf8' });
    expect(path.relative(ROOT, stdout.trim())).toMatch(/^\.cache\b/);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('a step is done again', () => {
  it('for the Python packages when the folder has another name: their programs hold it', async () => {
    const [here, there, linked] = await Promise.all(
      ['a', 'b', 'c'].map((name) => stepIn(path.join(folder, name), 'python.mjs', 'python')),
    );
    for (const name of ['a', 'b']) fs.mkdirSync(path.join(folder, name, '.venv'));
    fs.symlinkSync(path.join(folder, 'a/.venv'), path.join(folder, 'c/.venv'));
    expect(here.inputs()).not.toBe(there.inputs());
    expect(here.inputs()).toBe(linked.inputs());
  });

  it('for TensorFlow when the library behind the binding is gone, with .cache or with a folder left behind', async () => {
    const { makes } = await stepIn(folder, 'tensorflow.mjs', 'tensorflow');
    const inProject = makes.map((file: string) => path.relative(folder, file));
    for (const file of inProject) expect(fs.existsSync(file), file).toBe(true);
    expect(inProject.join()).toMatch(/deps\/lib\/libtensorflow/);
  });
});
