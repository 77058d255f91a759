import { chunkPages, readDocuments } from 'finetune-embedding';
import { createOfflineGenerator } from 'finetune-embedding/dist/questions/offline/offline-generator.js';
import { describe, expect, it } from 'vitest';
import { bakeryReport } from './offline-sample';

const ask = async (questionsPerChunk: number) => createOfflineGenerator().generate(bakeryReport, { questionsPerChunk });

describe('the offline generator on a small report', () => {
  it('asks about every chunk of prose, at most as many questions as wanted, the best first', async () => {
    const { questions, summary } = await ask(6);
    expect([...questions.keys()]).toEqual(bakeryReport.map((chunk) => chunk.id));
    for (const id of ['ovens', 'revenue', 'flour', 'leases']) {
      expect(questions.get(id)!.length, id).toBeGreaterThanOrEqual(3);
      expect(questions.get(id)!.length, id).toBeLessThanOrEqual(6);
    }
    const two = await ask(2);
    for (const id of ['ovens', 'revenue', 'flour', 'leases'])
      expect(two.questions.get(id)).toEqual(questions.get(id)!.slice(0, 2));
    expect(summary.asked).toBe(bakeryReport.length);
    expect(summary.answered + summary.empty).toBe(bakeryReport.length);
  });

  it('asks nothing about contents, signatures and exhibit lists, and counts those chunks', async () => {
    const { questions, summary } = await ask(6);
    expect(questions.get('contents')).toEqual([]);
    expect(questions.get('signatures')).toEqual([]);
    expect(summary).toMatchObject({ answered: 4, empty: 2 });
    const all = [...questions.values()].flat().join('\n');
    expect(all).not.toMatch(/Harrow Annual Report|Page \d|witness|exhibit|incorporated by reference/i);
  });

  it('writes whole questions, in an outsider’s voice, without repeats', async () => {
    const all = [...(await ask(12)).questions.values()].flat();
    expect(all.length).toBeGreaterThan(15);
    for (const question of all) {
      expect(question).toMatch(/^["\p{Lu}].*[^\s,;:]\?$/u);
      expect(question.split(' ').length, question).toBeLessThanOrEqual(40);
      expect(question).not.toMatch(/\b(we|our|us|I|you|your)\b/);
      expect(question).not.toMatch(/ {2}|\b(of|the|and|to|by|with|our)\?$|undefined/);
      expect((question.match(/"/g) ?? []).length % 2, question).toBe(0);
    }
    expect(new Set(all.map((question) => question.toLowerCase())).size).toBe(all.length);
  });

  it('never shows broken words', async () => {
    const all = [...(await ask(12)).questions.values()].flat().join('\n');
    expect(all).toMatch(/check the temperature/);
    expect(all).not.toMatch(/millingcosts|theovens|tempera-|ovens14|deliveryVans|ferment- /);
  });

  it('turns telling sentences into the question they answer', async () => {
    const { questions } = await ask(12);
    expect(questions.get('revenue')!.join('\n')).toMatch(/^Why did .*wholesale.* increase/m);
    expect(questions.get('revenue')!.join('\n')).toMatch(/^When (does|is) .*subscription/m);
    expect(questions.get('leases')!.join('\n')).toMatch(/^What does "renewal window" mean\?$/im);
  });

  it('gives the same questions every time', async () => {
    const [first, again] = [await ask(12), await ask(12)];
    expect([...again.questions]).toEqual([...first.questions]);
  });

  it('points to its own chunk: the chunk shares more telling words with it than any other', async () => {
    const { questions } = await ask(4);
    const wordsOf = (text: string) => new Set(text.toLowerCase().match(/\p{L}{5,}/gu) ?? []);
    const texts = bakeryReport.map((chunk) => ({ id: chunk.id, words: wordsOf(chunk.text) }));
    let right = 0;
    let total = 0;
    for (const [id, list] of questions)
      for (const question of list) {
        const shared = texts.map((chunk) => [...wordsOf(question)].filter((word) => chunk.words.has(word)).length);
        total++;
        if (shared[texts.findIndex((chunk) => chunk.id === id)] === Math.max(...shared)) right++;
      }
    expect(right / total).toBeGreaterThan(0.85);
  });

  it('asks nothing about a chunk that is not in English, and says so', async () => {
    const german = {
      id: 'de',
      text: 'Die Bäckerei mietet neunzehn Läden. Der Mietvertrag endet nach zehn Jahren und wird nicht erneuert.',
    };
    const { questions, summary } = await createOfflineGenerator().generate([...bakeryReport, german], {
      questionsPerChunk: 3,
    });
    expect(questions.get('de')).toEqual([]);
    expect(summary.dropped['chunk is not in English']).toBe(1);
  });

  it('refuses a corpus without any English, and says who could ask instead', async () => {
    const german = { id: 'de', text: 'Die Fähre ist nicht pünktlich, und der Hafen ist klein.' };
    await expect(createOfflineGenerator().generate([german], { questionsPerChunk: 3 })).rejects.toThrow(
      /none of the 1 chunk\(s\) is in English.*OPENAI_BASE_URL.*QUESTION_GENERATOR=local/,
    );
  });

  it('tells progress after every chunk, stops on a signal, and refuses a count that makes no sense', async () => {
    const seen: number[] = [];
    await createOfflineGenerator().generate(bakeryReport, {
      questionsPerChunk: 2,
      onProgress: ({ done }) => seen.push(done),
    });
    expect(seen).toEqual(bakeryReport.map((_, at) => at + 1));
    const stopped = createOfflineGenerator().generate(bakeryReport, {
      questionsPerChunk: 2,
      signal: AbortSignal.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
    await expect(ask(0)).rejects.toThrow(/questionsPerChunk is 0/);
  });
});

/** What no person would ask: each is the form of questions that rules once made of these documents. */
const NOBODY_ASKS = [
  /should a reader know|does the company say about|is said about|is disclosed about|with regard to .*, what|in relation to\?/i,
  /What were the amounts of|^What explains/, // row labels in a row
  /\b(and|or|(?<!consist )of|the|an?|to|by|with|from|in order|depending|especially|even|pursuant|adjusted)\?$/i, // cut
  /\band [\p{L}]+-[\p{L}]+\?$/u, // `external clients and fish-farm`
  /^\S+ (it|they|he|she|this|these|that|those|such)\b/i, // a subject that stands for nothing
  /^(Why|How|When|What|Which) (do|does|did|is|are|was|were) (as|if|because|in|on|at|of)\b/i, // no subject
  /\b(we|our|us|ours|I|you|your)\b/,
  /^(Does|Do|Did|Could|Will|Would|Can|Must) [^,]*\b(is|are|was|were)\b(?<!\b(that|which|who|what|when|if|unless|since|although|as|where|because|than|until|before|after|there|,).*)/i, // two verbs
  /[:;]|\s{2}|\b(\p{L}+) \1\b/u,
];

describe.each(['data/larkmoor_2024.pdf', 'data/quillon_2024.pdf'])('questions about %s', (file) => {
  it('are such as a person could ask', async () => {
    const chunks = await chunkPages((await readDocuments([file])).pages);
    const { questions, summary } = await createOfflineGenerator().generate(chunks, { questionsPerChunk: 8 });
    const all = [...questions.values()].flat();
    expect(all.length).toBeGreaterThan(4 * chunks.length);
    expect(summary.empty).toBeLessThan(4);
    const turned = all.filter((question) => !question.startsWith('Is it '));
    expect(turned.length).toBeGreaterThan(all.length / 2);
    for (const question of all) {
      expect(question).toMatch(
        /^(Why|When|Since when|Until when|By when|Under what circumstances|How much|How many|By how much|What|Do|Does|Did|Is|Are|Was|Were|Has|Have|Had|Can|Could|Will|Would|Should|Must) /,
      );
      const asked = question.replace(/^Is it (true|correct|the case) that /, 'Is ');
      for (const pattern of NOBODY_ASKS) expect(asked).not.toMatch(pattern);
    }
  });
});

it('asks about a large corpus in seconds, not in half an hour', async () => {
  const chunks = Array.from({ length: 300 }, (_, at) => ({
    id: `${at}`,
    text: bakeryReport[1 + (at % 4)].text.replace(/\b(oven|bread|mill|shop)/g, `$1${at % 97}`),
  }));
  const started = performance.now();
  await createOfflineGenerator().generate(chunks, { questionsPerChunk: 2 });
  expect(performance.now() - started).toBeLessThan(60_000);
}, 90_000);
