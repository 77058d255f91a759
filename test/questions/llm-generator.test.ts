import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { QUESTION_STYLES } from 'finetune-embedding';
import type { GenerationProgress } from 'finetune-embedding/dist/questions/generator.js';
import { createLlmGenerator } from 'finetune-embedding/dist/questions/llm-generator.js';
import type { LlmSettings } from 'finetune-embedding/dist/questions/llm-settings.js';
import { askInBatches } from 'finetune-embedding/extras';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FAULTS, FakeOpenAI, type FakeOptions } from './fake-openai';

const KEY = 'sk-test-0123456789abcdefghij';
let dir: string;
let server: FakeOpenAI | undefined;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'questions-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(dir, { recursive: true, force: true });
});

async function serve(options: FakeOptions): Promise<FakeOpenAI> {
  server = await FakeOpenAI.start(options);
  return server;
}

function generator(settings: Partial<LlmSettings> = {}) {
  const defaults = { model: 'm', cacheDir: dir, baseURL: server!.url, apiKey: KEY, backoffSeconds: 0.002 };
  return createLlmGenerator({ ...defaults, ...settings });
}

function chunksOf(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    id: `c${i}`,
    text: `Chapter${i} tells what was seen from the tower of harbour number ${i}.`,
  }));
}

/** How often a passage was sent again after its answer had arrived. */
function askedAfterSuccess({ calls }: FakeOpenAI): number {
  const answered = new Set<string>();
  let again = 0;
  for (const { passage, answered: ok } of calls) {
    if (answered.has(passage!)) again++;
    if (ok) answered.add(passage!);
  }
  return again;
}

async function filesText(): Promise<string> {
  const names = await readdir(dir);
  return (await Promise.all(names.map((name) => readFile(path.join(dir, name), 'utf8')))).join('\n');
}

describe('createLlmGenerator', () => {
  it('asks exactly the number of questions of every chunk and keeps the corpus order', async () => {
    const fake = await serve({ apiKey: KEY, model: 'm' });
    const chunks = chunksOf(7);
    const { questions, summary, styles } = await generator().generate(chunks, { questionsPerChunk: 3 });
    expect([...questions.keys()]).toEqual(chunks.map((chunk) => chunk.id));
    for (const [id, list] of questions) {
      expect(list).toHaveLength(3);
      expect(list.join()).toContain(`Chapter${id.slice(1)}`);
    }
    expect(new Set(styles!.values()).size).toBeGreaterThan(1);
    expect(summary).toEqual({
      asked: 7,
      answered: 7,
      empty: 0,
      underFilled: 0,
      unparsable: 0,
      failed: 0,
      dropped: {},
    });
    expect(fake.calls[0].body.response_format).toMatchObject({ type: 'json_schema' });
  });

  it('survives 1,000 chunks with 30% of calls at fault: none lost, none asked again after success', async () => {
    const fake = await serve({ seed: 7, faultRate: 0.3 });
    const chunks = chunksOf(1000);
    const settings = { concurrency: 32, timeoutSeconds: 8 };
    const { questions, summary } = await generator(settings).generate(chunks, { questionsPerChunk: 2 });
    const played = Object.entries(FAULTS).flatMap(([fault, weight]) => (weight > 0 ? [fault] : []));
    expect(new Set(fake.calls.map((call) => call.fault).filter(Boolean))).toEqual(new Set(played));
    expect(summary).toMatchObject({ asked: 1000, answered: 1000, failed: 0 });
    expect([...questions.values()].filter((list) => list.length === 0)).toEqual([]);
    expect([...questions.values()].flat().filter((question) => question.startsWith('¿'))).toEqual([]);
    expect(askedAfterSuccess(fake)).toBe(0);
    const atFault = fake.calls.filter((call) => call.fault).length;
    console.log(`1,000 chunks: ${fake.calls.length} calls, ${atFault} at fault; none lost, none asked after success`);

    const before = fake.calls.length;
    const again = await generator(settings).generate(chunks, { questionsPerChunk: 2 });
    expect(fake.calls.length).toBe(before);
    expect(again.questions).toEqual(questions);
    expect(again.summary).toEqual({ ...summary, asked: 0 });
  });

  // 500 is what several versions of llama.cpp's servers answer.
  it.each([400, 422, 500])(
    'falls back to plain text, once, where the server refuses structure with %i',
    async (status) => {
      const fake = await serve({ refuseStructure: status });
      const { summary } = await generator({ concurrency: 1 }).generate(chunksOf(5), { questionsPerChunk: 2 });
      expect(summary).toMatchObject({ answered: 5, failed: 0 });
      expect(fake.calls.filter((call) => call.body.response_format)).toHaveLength(1);
    },
  );

  it.each([
    ['a wrong key', { apiKey: 'another' }, /Incorrect API key provided/],
    ['an unknown model', { model: 'another' }, /The model m does not exist/],
    ['an account without money', { quotaSpent: true }, /You exceeded your current quota/],
  ])('stops at once for %s, with the server’s message and without the key', async (_, options, message) => {
    const fake = await serve(options);
    const error: Error = await generator({ concurrency: 1 })
      .generate(chunksOf(50), { questionsPerChunk: 2 })
      .then(
        () => expect.fail('it went on'),
        (reason) => reason,
      );
    expect(error.message).toMatch(message);
    expect(fake.calls.length).toBeLessThanOrEqual(1);
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain(KEY);
    expect(await filesText()).not.toContain(KEY);
  });

  it.each([
    ['a key with a line break in it', { apiKey: `${KEY}\nEOF` }, /^OPENAI_API_KEY holds a character that no key has/],
    ['a key that is a sentence', { apiKey: 'schlüssel über alles' }, /^OPENAI_API_KEY holds a character/],
    ['a password in the address', { baseURL: `http://me:${KEY}@localhost/v1` }, /^OPENAI_BASE_URL holds a user name/],
  ])('refuses %s, which no request can carry, and shows neither', async (_, settings, message) => {
    await serve({});
    const refused = () => generator(settings);
    expect(refused).toThrow(message);
    const secrets = [KEY, 'über'];
    for (const secret of secrets) expect(refused).not.toThrow(secret);
    const batch = { model: 'm', cacheDir: dir, baseURL: server!.url, ...settings };
    await expect(askInBatches(batch, { train: chunksOf(1) }, { questionsPerChunk: 1 })).rejects.toThrow(message);
  });

  it('keeps the key out of the cache even if the model echoes it', async () => {
    await serve({ questions: () => [`Why is the key ${KEY} on the wall?`] });
    const { questions } = await generator().generate(chunksOf(1), { questionsPerChunk: 1 });
    expect(await filesText()).toContain('Why is the key [key] on the wall?');
    expect(JSON.stringify([...questions])).not.toContain(KEY);
  });

  it('says so when no server answers', async () => {
    const fake = await serve({});
    const gone = generator();
    await fake.close();
    await expect(gone.generate(chunksOf(9), { questionsPerChunk: 2 })).rejects.toThrow(
      /No server answers at http:\/\/127.0.0.1:\d+\/v1: is it running\?/,
    );
  });

  it('gives up where chunk after chunk fails, and keeps what it has', async () => {
    const fake = await serve({ questions: (passage) => [`Where is ${passage.split(' ')[0]}?`] });
    await generator().generate(chunksOf(5), { questionsPerChunk: 1 });
    const broken = await FakeOpenAI.start({ faultRate: 1, faults: { '500': 1 } });
    try {
      const settings = { baseURL: broken.url, concurrency: 1, retries: 1 };
      await expect(generator(settings).generate(chunksOf(20), { questionsPerChunk: 1 })).rejects.toThrow(
        /3 chunks in a row failed.*The server had an error/,
      );
      expect(broken.calls).toHaveLength(6);
    } finally {
      await broken.close();
    }
    const { summary } = await generator().generate(chunksOf(20), { questionsPerChunk: 1 });
    expect(summary).toMatchObject({ asked: 15, answered: 20 });
    expect(fake.calls).toHaveLength(20);
  });

  it('names the chunk that fails for good, finishes the others, and asks for it again next time', async () => {
    const fake = await serve({ tooLong: (passage) => passage.includes('number 3.') });
    const { summary, questions } = await generator({ concurrency: 1 }).generate(chunksOf(6), { questionsPerChunk: 1 });
    expect(summary).toMatchObject({ asked: 6, answered: 5, failed: 1 });
    expect(summary.problems).toEqual({
      "400 This model's maximum context length is 5 tokens (the text is too long for the model, or for the server as it was started)": 1,
    });
    expect(questions.get('c3')).toEqual([]);
    // One chunk's fault does not switch structured output off for the others.
    expect(fake.calls.at(-1)?.body.response_format).toBeDefined();
    const again = await generator().generate(chunksOf(6), { questionsPerChunk: 1 });
    expect(again.summary).toMatchObject({ asked: 1, failed: 1 });
  });

  it('names the chunks without questions, after asking each a limited number of times over all runs', async () => {
    const fake = await serve({ answer: (passage) => (passage.includes('number 1.') ? 'Nothing to ask here.' : '[]') });
    const chunks = chunksOf(2);
    const { questions, summary } = await generator().generate(chunks, { questionsPerChunk: 2 });
    expect(summary).toMatchObject({ answered: 2, empty: 1, unparsable: 1 });
    expect(Object.fromEntries(questions)).toEqual({ c0: [], c1: [] });
    expect(fake.calls).toHaveLength(10);
    await generator().generate(chunks, { questionsPerChunk: 2 });
    expect(fake.calls).toHaveLength(10);
  });

  it('counts under-filled chunks and what was left aside', async () => {
    await serve({ answer: () => '1. What is a harbour?\n2. What is a harbour?\n' });
    const { summary } = await generator().generate(chunksOf(1), { questionsPerChunk: 2 });
    expect(summary).toMatchObject({ underFilled: 1, dropped: { 'repeated in the answer': 1 } });
  });

  it('asks again where the answer is in another language', async () => {
    const spanish = () => ['¿Qué dice la sección 1?', '¿Cuál es el puerto?'];
    const fake = await serve({ questions: spanish });
    const { questions, summary } = await generator().generate(chunksOf(1), { questionsPerChunk: 2 });
    expect(questions.get('c0')).toEqual([]);
    expect(summary.dropped).toEqual({ 'in another language': 2 });
    expect(fake.calls).toHaveLength(5);
  });

  it('sets a limit to an answer, a temperature and a seed, and notes what the words were drawn with', async () => {
    const fake = await serve({ answer: () => 'Nothing to ask here.' });
    await generator().generate(chunksOf(1), { questionsPerChunk: 3 });
    const sent = fake.calls.map(({ body: { max_tokens, temperature, seed } }) => ({ max_tokens, temperature, seed }));
    expect(sent).toEqual([0, 1, 2, 3, 4].map((seed) => ({ max_tokens: 400, temperature: 0.7, seed })));
    const kept = (await filesText()).trim().split('\n');
    expect(kept.map((line) => JSON.parse(line))).toMatchObject(
      sent.map(({ temperature, seed }) => ({ temperature, seed })),
    );
  });

  it('leaves out what a server refuses by name, once for all calls', async () => {
    const fake = await serve({ refuse: ['temperature', 'max_tokens'] });
    const { summary } = await generator({ concurrency: 1 }).generate(chunksOf(3), { questionsPerChunk: 1 });
    expect(summary).toMatchObject({ answered: 3, failed: 0 });
    expect(fake.calls).toHaveLength(5);
    const { temperature, max_tokens, max_completion_tokens, seed, response_format } = fake.calls[4].body;
    expect({ temperature, max_tokens, max_completion_tokens, seed }).toEqual({ max_completion_tokens: 200, seed: 0 });
    expect(response_format).toBeDefined();
    expect(JSON.parse((await filesText()).split('\n')[0])).not.toHaveProperty('temperature');
  });

  it('gives a model that thinks aloud more room, once it has seen it end in a thought', async () => {
    const fake = await serve({ thoughts: 2000 });
    const { summary } = await generator({ concurrency: 1 }).generate(chunksOf(3), { questionsPerChunk: 1 });
    expect(summary).toMatchObject({ answered: 3, empty: 0 });
    expect(fake.calls.map(({ body }) => body.max_tokens)).toEqual([200, 4296, 4296, 4296]);
  });

  it('does not outrun a server with one slot: asks fewer at once after time-outs, says so, loses nothing', async () => {
    const fake = await serve({ slots: 1, delay: 60 });
    const said = new Set<string>();
    const settings = { concurrency: 8, timeoutSeconds: 0.2 };
    const { summary } = await generator(settings).generate(chunksOf(20), {
      questionsPerChunk: 1,
      onProgress: ({ waiting }) => waiting && said.add(waiting),
    });
    expect(summary).toMatchObject({ answered: 20, failed: 0 });
    expect(fake.busiest).toBe(1);
    expect([...said].join()).toMatch(/trying again: Request timed out/);
    expect([...said].join()).toMatch(/[1-7] at once, since calls timed out/);
  });

  it('gives up on a chunk that times out even alone, rather than nine times', async () => {
    const fake = await serve({ faultRate: 1, faults: { drip: 1 } });
    const { summary } = await generator({ concurrency: 1, timeoutSeconds: 0.1 }).generate(chunksOf(2), {
      questionsPerChunk: 1,
    });
    expect(summary.problems).toEqual({ 'No answer within 0.1 s, with no other call beside it.': 2 });
    expect(fake.calls).toHaveLength(4);
  });

  it('waits for a server that dies and comes back', async () => {
    const first = await serve({ delay: 5 });
    const { port } = first;
    const said = new Set<string>();
    let second: Promise<FakeOpenAI> | undefined;
    const dieAndComeBack = async () => {
      await first.close();
      await new Promise((resolve) => setTimeout(resolve, 300));
      server = await FakeOpenAI.start({ port });
      return server;
    };
    const { summary } = await generator({ backoffSeconds: 0.1 }).generate(chunksOf(40), {
      questionsPerChunk: 1,
      onProgress: ({ done, waiting }) => {
        if (done === 20) second ??= dieAndComeBack();
        if (waiting) said.add(waiting);
      },
    });
    expect(summary).toMatchObject({ answered: 40, failed: 0 });
    expect([...said].join()).toMatch(/trying again: Connection error/);
    const kept = first.calls.filter(({ answered }) => answered).map(({ passage }) => passage);
    expect((await second!).calls.filter(({ passage }) => kept.includes(passage))).toEqual([]);
  });

  it('gives up on an answer without end, names its size, and goes on', async () => {
    await serve({ faultRate: 1, faults: { 'endless answer': 1 } });
    const { questions, summary } = await generator().generate(chunksOf(1), { questionsPerChunk: 1 });
    expect([summary.failed, questions.get('c0')]).toEqual([1, []]);
    expect(Object.keys(summary.problems!)).toEqual([expect.stringMatching(/larger than 64 MB/)]);
  });

  it('waits until the date that Retry-After says, and stops if that is more than five minutes away', async () => {
    const soon = new Date(Date.now() + 3000).toUTCString();
    const fake = await serve({ faultRate: 1, faults: { '429 with Retry-After': 1 }, retryAfter: soon });
    const waiting = generator({ concurrency: 1, retries: 1 }).generate(chunksOf(1), { questionsPerChunk: 1 });
    expect((await waiting).summary.failed).toBe(1);
    expect(fake.calls[1].at).toBeGreaterThanOrEqual(Date.parse(soon));
    await fake.close();

    await serve({ faultRate: 1, faults: { '429 with Retry-After': 1 }, retryAfter: '3600' });
    await expect(generator().generate(chunksOf(9), { questionsPerChunk: 1 })).rejects.toThrow(
      /asks to wait 3600 seconds; run again then.*Rate limit reached/,
    );
  });

  it('waits as long as Retry-After says', async () => {
    const fake = await serve({ faultRate: 0.5, seed: 1, faults: { '429 with Retry-After': 1 } });
    await generator({ concurrency: 1 }).generate(chunksOf(6), { questionsPerChunk: 2 });
    const refused = fake.calls.flatMap((call, i) => (call.fault ? [i] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const i of refused) expect(fake.calls[i + 1].at - fake.calls[i].at).toBeGreaterThanOrEqual(990);
  });

  it('asks anew when styles, model or number change, and only then', async () => {
    const fake = await serve({});
    const chunks = chunksOf(2);
    const styles = ['claim'];
    for (const settings of [{ styles }, { model: 'n' }, { styles: ['keywords'] }])
      await generator(settings).generate(chunks, { questionsPerChunk: 1 });
    await generator({ styles }).generate(chunks, { questionsPerChunk: 2 });
    expect(fake.calls).toHaveLength(8);
    await generator({ styles }).generate(chunks, { questionsPerChunk: 1 });
    expect(fake.calls).toHaveLength(8);
  });

  it('keeps one file a corpus and asks chunks of equal text once', async () => {
    const fake = await serve({});
    const twins = [
      { id: 'a', text: 'Same harbour.' },
      { id: 'b', text: 'Same harbour.' },
    ];
    const { questions } = await generator().generate(twins, { questionsPerChunk: 1, corpus: 'train' });
    expect(questions.get('a')).toEqual(questions.get('b'));
    expect(fake.calls).toHaveLength(1);
    await generator().generate(chunksOf(1), { questionsPerChunk: 1, corpus: 'val' });
    expect((await readdir(dir)).sort()).toEqual(['train.jsonl', 'val.jsonl']);
  });

  it('reports progress, costs included, up to the end', async () => {
    await serve({});
    const seen: GenerationProgress[] = [];
    const price = { inputPerMillion: 1, outputPerMillion: 10 };
    await generator({ price }).generate(chunksOf(4), { questionsPerChunk: 1, onProgress: (p) => seen.push(p) });
    expect(seen.map((p) => p.done)).toEqual([0, 1, 2, 3, 4]);
    expect(seen.at(-1)).toMatchObject({ failed: 0, total: 4 });
    // 60 output tokens a call, as the server counts them, make the larger part.
    expect(seen.at(-1)!.costSoFar).toBeGreaterThan((4 * 60 * 10) / 1e6);
  });

  it('stops on the signal and keeps what came', async () => {
    const fake = await serve({ delay: 20 });
    const abort = new AbortController();
    const run = generator({ concurrency: 2 }).generate(chunksOf(40), {
      questionsPerChunk: 1,
      signal: abort.signal,
      onProgress: ({ done }) => done === 6 && abort.abort(new Error('stopped by hand')),
    });
    await expect(run).rejects.toThrow('stopped by hand');
    expect(fake.calls.length).toBeLessThan(12);
    const left = await generator().missing(chunksOf(40), { questionsPerChunk: 1 });
    // One that came while the signal went off is kept, too.
    const kept = (await filesText()).trim().split('\n').length;
    expect([6, 7]).toContain(kept);
    expect(left.length).toBe(40 - kept);
  });

  it('asks each chunk in a style of its own, the same in every run, and shows the model what it looks like', async () => {
    const fake = await serve({});
    const chunks = chunksOf(40);
    const asked = await generator({ styles: ['claim', 'keywords'] }).generate(chunks, { questionsPerChunk: 1 });
    const promptOf = (style: string) => {
      const texts = chunks.filter(({ id }) => asked.styles!.get(id) === style).map(({ text }) => text);
      return fake.calls.filter(({ passage }) => texts.includes(passage!)).map(({ body }) => body.messages![0].content);
    };
    const [claims, keywords] = [promptOf('claim'), promptOf('keywords')];
    expect(claims.length).toBeGreaterThan(9);
    expect(keywords.length).toBe(40 - claims.length);
    for (const prompt of claims) expect(prompt).toContain(QUESTION_STYLES.claim.examples[0]);
    for (const prompt of keywords) expect(prompt).toContain('exactly 1 keyword search(es)');
    const again = await generator({ styles: ['claim', 'keywords'] }).generate(chunks, { questionsPerChunk: 1 });
    expect([again.styles, again.summary.asked]).toEqual([asked.styles, 0]);
  });

  it('imitates queries of the reader’s own, and does not take them for answers', async () => {
    const file = path.join(dir, 'mine.txt');
    await writeFile(file, 'harbour dues 2019\n\nwho tows at night\n');
    const fake = await serve({ questions: () => ['harbour dues 2019', 'tower of harbour number 0'] });
    const { questions, styles, summary } = await generator({ exampleFiles: [file] }).generate(chunksOf(1), {
      questionsPerChunk: 2,
    });
    expect(fake.calls[0].body.messages![0].content).toContain('- harbour dues 2019\n- who tows at night\n');
    expect([...questions.values(), styles!.get('c0')]).toEqual([['tower of harbour number 0'], 'own']);
    expect(summary.dropped).toEqual({ 'one of the examples': 1 });
    await writeFile(file, '\n');
    expect(() => generator({ exampleFiles: [file] })).toThrow(/mine.txt is empty; write queries into it, one a line/);
  });

  it('asks again in another style and shows what was refused', async () => {
    const fake = await serve({});
    const chunks = chunksOf(1);
    const first = await generator().generate(chunks, { questionsPerChunk: 1 });
    const refused = new Map([['c0', ['Why Hail?']]]);
    const second = await generator().generate(chunks, { questionsPerChunk: 1, refused });
    expect(fake.calls).toHaveLength(2);
    expect(fake.calls[1].body.messages![0].content).toMatch(/These were refused.*\n- Why Hail\?/);
    expect(second.styles!.get('c0')).not.toBe(first.styles!.get('c0'));
  });

  it('refuses settings that cannot work', async () => {
    await serve({});
    expect(() => generator({ model: '' })).toThrow(/LLM_MODEL is empty/);
    expect(() => generator({ styles: ['riddle'] })).toThrow(/names "riddle"; there are question, keywords, claim/);
    expect(() => generator({ baseURL: 'localhost' })).toThrow(/OPENAI_BASE_URL is not an address/);
    expect(generator({ baseURL: 'http://host/v1/?key=secret' }).description).toBe('m at http://host/v1');
    await expect(generator().generate(chunksOf(1), { questionsPerChunk: 0 })).rejects.toThrow(
      /QUESTIONS_PER_CHUNK is 0/,
    );
  });
});
