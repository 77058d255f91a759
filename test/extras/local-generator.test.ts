import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  answering,
  completeTokenizer,
  loadLocalModel,
} from 'finetune-embedding/dist/extras/local-model/local-model.js';
import { createLocalGenerator } from 'finetune-embedding/extras';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CHUNKS = ['rye', 'spelt', 'oats'].map((id, at) => ({
  id,
  text: `The mill grinds ${id}.`,
  file: 'mill.pdf',
  page: at + 1,
}));

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'local-'));
});
afterEach(() => rm(cacheDir, { recursive: true }));

/** A pipeline as transformers.js has it: messages in, the same messages and the answer out. */
function fakePipeline(reply: (prompt: string) => string) {
  const prompts: string[] = [];
  const options: unknown[] = [];
  const pipeline = async (messages: { role: string; content: string }[], given: object) => {
    prompts.push(messages[0].content);
    options.push(given);
    return [{ generated_text: [...messages, { role: 'assistant', content: reply(messages[0].content) }] }];
  };
  return { prompts, options, load: async () => answering(pipeline) };
}

const grainOf = (prompt: string): string => /grinds (\w+)/.exec(prompt)![1];

describe('createLocalGenerator', () => {
  it('asks with the exam prompt, reads whatever comes, and names the chunks without questions', async () => {
    const { prompts, options, load } = fakePipeline((prompt) => {
      const grain = grainOf(prompt);
      if (grain === 'oats') return 'I would rather not.';
      return `Sure!\n1. What does the mill do with ${grain}?\n2. Who grinds ${grain}?\n3. One too many?`;
    });
    const seen: number[] = [];
    const generator = createLocalGenerator({ model: 'tiny', cacheDir }, load);
    const result = await generator.generate(CHUNKS, {
      questionsPerChunk: 2,
      onProgress: ({ done }) => seen.push(done),
    });
    expect(result.questions.get('rye')).toEqual(['What does the mill do with rye?', 'Who grinds rye?']);
    expect(result.summary).toMatchObject({
      asked: 3,
      answered: 3,
      unparsable: 1,
      dropped: { 'more than asked for': 2 },
      chunksWithoutQuestions: ['oats'],
    });
    expect(prompts[0]).toContain('You are a teacher setting an exam');
    expect(options[0]).toEqual({ max_new_tokens: 192, do_sample: false });
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it('keeps raw answers on disk and asks nothing twice, but anew after a change', async () => {
    const first = fakePipeline((prompt) => (grainOf(prompt) === 'rye' ? 'no idea' : '{"questions": ["Why grind?"]}'));
    const settings = { model: 'tiny', cacheDir };
    const options = { questionsPerChunk: 1, corpus: 'train' };
    const asked = await createLocalGenerator(settings, first.load).generate(CHUNKS, options);
    const lines = (await readFile(path.join(cacheDir, 'train.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).answer)).toContain('no idea');

    const never = createLocalGenerator(settings, () => Promise.reject(new Error('not to be loaded')));
    expect(await never.missing!(CHUNKS, options)).toEqual([]);
    const again = await never.generate(CHUNKS, options);
    expect(again.summary.asked).toBe(0);
    expect([...again.questions]).toEqual([...asked.questions]);

    for (const changed of [{ model: 'other' }, { prompt: 'Ask about {text}' }]) {
      const generator = createLocalGenerator({ ...settings, ...changed }, first.load);
      expect(await generator.missing!(CHUNKS, options)).toHaveLength(3);
    }
  });

  it('goes on after a chunk that fails, keeps what came, and stops after three in a row', async () => {
    const options = { questionsPerChunk: 1 };
    const flaky = fakePipeline((prompt) => {
      if (grainOf(prompt) === 'spelt') throw new Error('out of memory');
      return 'Why grind at all?';
    });
    const { summary } = await createLocalGenerator({ model: 'tiny', cacheDir }, flaky.load).generate(CHUNKS, options);
    expect(summary).toMatchObject({ answered: 2, failed: 1, chunksWithoutQuestions: ['spelt'] });
    expect(summary.problems).toEqual({ 'out of memory': 1 });

    const broken = fakePipeline(() => {
      throw new Error('out of memory');
    });
    const generator = createLocalGenerator({ model: 'broken', cacheDir }, broken.load);
    await expect(generator.generate(CHUNKS, options)).rejects.toThrow(/3 chunks in a row.*chunk oats: out of memory/);
  });

  it('stops on a signal', async () => {
    const stop = new AbortController();
    const { prompts, load } = fakePipeline(() => {
      stop.abort(new Error('enough'));
      return 'Why?';
    });
    const generator = createLocalGenerator({ model: 'tiny', cacheDir }, load);
    await expect(generator.generate(CHUNKS, { questionsPerChunk: 1, signal: stop.signal })).rejects.toThrow('enough');
    expect(prompts).toHaveLength(1);
  });
});

describe('completeTokenizer', () => {
  it('takes the chat template from the file that newer models keep it in', async () => {
    await writeFile(path.join(cacheDir, 'chat_template.jinja'), '{{ messages }}');
    expect(completeTokenizer({ chat_template: null }, cacheDir).chat_template).toBe('{{ messages }}');
    expect(completeTokenizer({ chat_template: 'own' }, cacheDir).chat_template).toBe('own');
  });

  it('refuses a model without one', () => {
    expect(() => completeTokenizer({}, cacheDir)).toThrow(/it has no chat template, so it is no instruct model/);
    expect(() => completeTokenizer({}, undefined)).toThrow(/no instruct model/);
  });
});

describe('loadLocalModel', () => {
  it.each([
    ['gpt-4o-mini', /LLM_MODEL "gpt-4o-mini" cannot be loaded: it is neither a folder nor a hub name/],
    ['', /neither a folder nor a hub name/],
  ])('refuses %s and says what to name instead', async (model, message) => {
    await expect(loadLocalModel(model)).rejects.toThrow(message);
    await expect(loadLocalModel(model)).rejects.toThrow(/or a folder that holds one.*QUESTION_GENERATOR=offline/);
  });

  it('refuses a folder without a model, and one whose model is damaged', async () => {
    await expect(loadLocalModel(cacheDir)).rejects.toThrow(/has no onnx\/model_q4\.onnx/);
    await mkdir(path.join(cacheDir, 'onnx'));
    await writeFile(path.join(cacheDir, 'onnx', 'model_q4.onnx'), 'no model');
    await expect(loadLocalModel(cacheDir)).rejects.toThrow(
      /LLM_MODEL ".*" cannot be loaded: .+ Name an instruct model/,
    );
  });
});
