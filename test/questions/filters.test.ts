import { namesTheContext } from 'finetune-embedding/dist/questions/filters.js';
import { filterQuestions, type GenerationResult } from 'finetune-embedding/dist/questions/index.js';
import { findRepeats } from 'finetune-embedding/dist/questions/similar.js';
import { describe, expect, it } from 'vitest';

function resultOf(questions: Record<string, string[]>): GenerationResult {
  const counts = { asked: 3, answered: 3, empty: 0, underFilled: 0, unparsable: 0, failed: 0 };
  return {
    questions: new Map(Object.entries(questions)),
    summary: { ...counts, dropped: { refusal: 1 }, chunksWithoutQuestions: [] },
  };
}

describe('namesTheContext', () => {
  it.each([
    'According to the passage, who owns the ferry?',
    'What does the document say about ferries?',
    'Which risks are mentioned in the context?',
    'What is the main idea of this text?',
    "What is the author's view of ferries?",
    'Who is named in the given context information?',
    'Which ferry does the above excerpt describe?',
    'How many ferries does the provided text list?',
  ])('drops: %s', (question) => {
    expect(namesTheContext(question)).toBeTruthy();
  });

  it.each([
    'What does the document retention policy require?',
    'In the context of ferry operations, what is a slack tide?',
    'Who approved the passage of the harbour bill?',
    'Which text messages does the crew receive?',
    'Which documents must a skipper carry?',
    'How does context influence a reader?',
  ])('keeps: %s', (question) => {
    expect(namesTheContext(question)).toBeUndefined();
  });
});

describe('findRepeats', () => {
  it('finds the same question in other words, but not with another number or subject', () => {
    const texts = [
      'What were the harbour fees in 2021?',
      'What were the harbour fees in 2020?',
      'How are ferries inspected?',
      'In 2021, what was the harbour fee?',
      'How are tugs inspected?',
      'Why are ferries inspected?',
    ];
    expect(findRepeats(texts, 0.8)).toEqual([-1, -1, -1, 0, -1, -1]);
  });

  it('finds what a comparison of all pairs finds', () => {
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const word = () => 'abcdefghijklmnop'[Math.floor(random() ** 2 * 16)].repeat(4);
    const sets = Array.from({ length: 400 }, () => new Set(Array.from({ length: 4 + random() * 5 }, word)));
    const jaccard = (a: Set<string>, b: Set<string>) => {
      const shared = [...a].filter((x) => b.has(x)).length;
      return shared / (a.size + b.size - shared);
    };
    const expected: number[] = [];
    sets.forEach((set, i) => {
      expected.push(sets.findIndex((other, j) => j < i && expected[j] === -1 && jaccard(set, other) >= 0.6));
    });
    expect(expected.filter((j) => j >= 0).length).toBeGreaterThan(50);
    expect(
      findRepeats(
        sets.map((set) => [...set].join(' ')),
        0.6,
      ),
    ).toEqual(expected);
  });
});

describe('filterQuestions', () => {
  it('drops, says why, and brings the summary up to date', () => {
    const { result, dropped } = filterQuestions(
      resultOf({
        a: ['Who owns the ferry?', 'What does the passage say?'],
        b: ['Who owns the ferries?'],
        c: ['Where does the ferry land?'],
      }),
    );
    expect([...result.questions]).toEqual([
      ['a', ['Who owns the ferry?']],
      ['b', []],
      ['c', ['Where does the ferry land?']],
    ]);
    expect(dropped).toEqual([
      { chunkId: 'a', question: 'What does the passage say?', reason: 'names the context', detail: 'the passage' },
      {
        chunkId: 'b',
        question: 'Who owns the ferries?',
        reason: 'repeats another question',
        detail: 'Who owns the ferry?',
      },
    ]);
    expect(result.summary.dropped).toEqual({ refusal: 1, 'names the context': 1, 'repeats another question': 1 });
    expect(result.summary.chunksWithoutQuestions).toEqual(['b']);
  });
});
