// With a real model where one is named: LOCAL_MODEL=FILE.gguf, and node-llama-cpp installed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLocalGenerator } from 'finetune-embedding/extras';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CHUNKS = [
  { id: 'a', text: 'The ferry Marlin sails from Hail to Trest at six each morning and carries 40 cars.' },
];
const OPTIONS = { questionsPerChunk: 2 };
const { LOCAL_MODEL } = process.env;
if (!LOCAL_MODEL) console.log('LOCAL_MODEL is not set: no local model is run.');

describe('createLocalGenerator', () => {
  let cacheDir: string;
  beforeEach(async () => {
    cacheDir = await mkdtemp(path.join(tmpdir(), 'local-'));
  });
  afterEach(() => rm(cacheDir, { recursive: true }));

  it('says what to install, or which file is missing, before anything else', async () => {
    const generator = createLocalGenerator({ model: path.join(cacheDir, 'none.gguf'), cacheDir });
    expect(generator.description).toMatch(/none.gguf in this process$/);
    expect(await generator.missing!(CHUNKS, OPTIONS)).toEqual(CHUNKS);
    await expect(generator.generate(CHUNKS, OPTIONS)).rejects.toThrow(
      /npm install --no-save --ignore-scripts node-llama-cpp@|there is no file LLM_MODEL, ".*none.gguf"/,
    );
  });

  it.runIf(LOCAL_MODEL)(
    'has a real model ask, within its limit and by the schema, and keeps the answers',
    async () => {
      const generator = createLocalGenerator({ model: LOCAL_MODEL!, cacheDir, styles: ['question'] });
      const { questions, summary } = await generator.generate(CHUNKS, OPTIONS);
      expect(summary).toMatchObject({ answered: 1, failed: 0 });
      const again = createLocalGenerator({ model: LOCAL_MODEL!, cacheDir, styles: ['question'] });
      expect(await again.missing!(CHUNKS, OPTIONS)).toHaveLength(questions.get(CHUNKS[0].id)!.length > 0 ? 0 : 1);
    },
    600_000,
  );
});
