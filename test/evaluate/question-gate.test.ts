// The gate with the real base model: what repeats, and what leads back to its chunk, only a real model can tell.
import { createQuestionGate, loadModel } from 'finetune-embedding';
import type { GenerationResult } from 'finetune-embedding/dist/questions/generator.js';
import { describe, expect, it } from 'vitest';

const NAMES = [
  'Marlin',
  'Heron',
  'Osprey',
  'Petrel',
  'Gannet',
  'Curlew',
  'Dunlin',
  'Teal',
  'Avocet',
  'Plover',
  'Knot',
  'Ruff',
];
const FOODS = ['bread', 'soup', 'fish', 'tea', 'honey', 'plums', 'cheese', 'eggs', 'beer', 'pears', 'ham', 'oats'];
const CHUNKS = NAMES.map((name, i) => ({
  id: name,
  text: `The ferry ${name} had a revenue of ${i + 3} million crowns in 2023. Its galley sells ${FOODS[i]} to passengers.`,
}));

function resultOf(questions: Record<string, string[]>, styles?: GenerationResult['styles']): GenerationResult {
  const counts = { asked: 3, answered: 3, empty: 0, underFilled: 0, unparsable: 0, failed: 0 };
  const all = new Map(CHUNKS.map(({ id }) => [id, questions[id] ?? []]));
  return { questions: all, styles, summary: { ...counts, dropped: { refusal: 1 } } };
}

describe('the question gate', async () => {
  const model = await loadModel('all-MiniLM-L6-v2', { name: 'base' });

  it('drops, says why, and brings the summary up to date', async () => {
    const { questions, dropped, summary } = await createQuestionGate(
      model,
      CHUNKS,
    )(resultOf({ Marlin: ['Who owns the ferry?', 'What does the passage say?'], Heron: ['3', 'Hail'] }));
    expect(questions.get('Marlin')).toEqual(['Who owns the ferry?']);
    expect(questions.get('Heron')).toEqual([]);
    expect(dropped).toMatchObject([
      { chunkId: 'Marlin', question: 'What does the passage say?', reason: 'names the context', detail: 'the passage' },
      { chunkId: 'Heron', question: '3', reason: 'too short' },
      { chunkId: 'Heron', question: 'Hail', reason: 'too short' },
    ]);
    expect(summary.dropped).toEqual({ refusal: 1, 'names the context': 1, 'too short': 2 });
    expect([...questions.values()].slice(1).flat()).toEqual([]);
  });

  it('drops what says the same as a question about any chunk, but not another number or name', async () => {
    const { dropped } = await createQuestionGate(
      model,
      CHUNKS,
    )(
      resultOf({
        Marlin: [
          'What was the revenue of the ferry Marlin in 2023?',
          'What was the revenue of the ferry Marlin in 2022?',
        ],
        Heron: ['What was the revenue of the ferry Heron in 2023?', 'In 2023, what revenue did the ferry Marlin have?'],
      }),
    );
    expect(dropped).toEqual([
      {
        chunkId: 'Heron',
        question: 'In 2023, what revenue did the ferry Marlin have?',
        reason: 'repeats another question',
        detail: 'What was the revenue of the ferry Marlin in 2023?',
      },
    ]);
  });

  it('asks a base that reads less than the usual windows by windows of its own length', async () => {
    const short = await loadModel('test/fixtures/tiny-bert');
    const asked = resultOf({ Ruff: ['What does the galley of the ferry Ruff sell?'] });
    const { roundTrip } = await createQuestionGate(short, CHUNKS)(asked);
    short.dispose();
    expect(roundTrip?.perQuery[0].rank).toBeGreaterThan(0);
  });

  it('drops what fits many chunks, where the round trip is asked for', async () => {
    const asked = { Ruff: ['What was the total revenue in 2023?', 'What does the galley of the ferry Ruff sell?'] };
    const strict = await createQuestionGate(model, CHUNKS, { roundTripTop: 3 })(resultOf(asked));
    expect(strict.questions.get('Ruff')).toEqual(['What does the galley of the ferry Ruff sell?']);
    expect(strict.dropped).toMatchObject([
      { question: 'What was the total revenue in 2023?', reason: 'does not lead back to its chunk' },
    ]);
    expect(strict.roundTrip!.perQuery.map(({ rank }) => rank! <= 3)).toEqual([false, true]);
    const lenient = await createQuestionGate(model, CHUNKS)(resultOf(asked));
    expect(lenient.dropped).toEqual([]);
  });

  it('looks at the form of the style that was asked for', async () => {
    const styles = new Map([['Marlin', 'keywords' as const]]);
    const questions = { Marlin: ['What was the revenue of the Marlin?', 'Marlin ferry revenue'] };
    const gated = await createQuestionGate(model, CHUNKS)(resultOf(questions, styles));
    expect(gated.questions.get('Marlin')).toEqual(['Marlin ferry revenue']);
    expect(gated.styles).toBe(styles);
  });
});
