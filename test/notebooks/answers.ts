// Right answers to the exercises, and the notebooks with them filled in: the checks must say that they are right.
import { edited } from './slice';

/** What to put in place of `undefined`, by the start of the answer's cell. */
const ANSWERS: Record<string, Record<string, string>> = {
  generate_dataset: {
    'const lostShare':
      'wordPieces.reduce((a, n) => a + Math.max(0, n - ENCODER_LIMIT), 0) / wordPieces.reduce((a, n) => a + n, 0)',
    'function sharedWords': `((words: (text: string) => string[]) =>
      words(question).filter((word) => words(chunk).includes(word)).length / words(question).length
    )((text) => text.toLowerCase().match(/\\w+/g) ?? [])`,
    'const myQuestion': 'samples[0].text.slice(0, 100)',
  },
  finetune: {
    'const stepsOfTenEpochs': '10 * Math.ceil(Object.keys(trainData.corpus).length / BATCH_SIZE)',
    'function cosine': 'a.reduce((sum, x, i) => sum + x * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b))',
    'function lossOf':
      '-Math.log(Math.exp(20 * similarities[right]) / similarities.reduce((sum, s) => sum + Math.exp(20 * s), 0))',
  },
  evaluate: {
    'function meanReciprocalRank':
      'ranks.reduce((sum: number, rank) => sum + 1 / (rank ?? Infinity), 0) / ranks.length',
    'const moreThanLuck':
      '(({ low, high }) => low > 0 || high < 0)(fe.compareResults(finetuned, finetunedWindows).difference)',
    'const keywordsWin': "bm25.perQuery.find(({ rank }, i) => rank === 1 && !finetuned.perQuery[i].isHit)?.query ?? ''",
  },
};

/** How many exercises each notebook has. */
export const EXERCISES = 3;

/** Writes a copy of a notebook with all exercises answered into `folder`, which lies inside the project. */
export const answered = (name: string, folder: string): string =>
  edited(
    name,
    folder,
    Object.entries(ANSWERS[name]).map(([start, answer]) => [start, 'undefined;', `${answer};`]),
  );
