// In: questions and their chunks. Out: those that a language model finds worth training on, with its marks for all.
import { type DroppedQuestion, type GatedQuestions, keepOnly } from '../evaluate/question-gate';
import { generateWithBar } from '../notebook/asking';
import { stoppable } from '../notebook/cells';
import { shorten } from '../notebook/escape';
import type { Row } from '../notebook/table';
import { BLUE, type Chart, GREY } from '../notebook/theme';
import type { SourceChunk } from '../questions/generator';
import { createLlmGenerator } from '../questions/llm-generator';
import type { LlmSettings, Task } from '../questions/llm-settings';
import { jsonFormat } from '../questions/prompt';

/** What is marked, from 0 to 10. */
const MARKS = ['answerable', 'understandable', 'worth_asking'] as const;

/** A question with a lower mark is dropped: the threshold of NVIDIA's recipe for synthetic retrieval data. */
const LEAST = 7;

/** The prompt; what is judged follows it. */
const PROMPT = `Somebody typed the query below into a search engine, which found the passage. Give three marks from 0 to 10:
- answerable: does the passage alone answer the query, or show whether it is true?
- understandable: is the query clear to somebody who does not see the passage?
- worth_asking: would somebody who works with such documents really want to know?

Answer with JSON only, in this form: {"answerable": 0, "understandable": 0, "worth_asking": 0}

`;

const JUDGING: Task = {
  format: jsonFormat('marks', Object.fromEntries(MARKS.map((mark) => [mark, { type: 'integer' }]))),
  message: ({ text }) => PROMPT + text,
  read(answer) {
    const marks = MARKS.map((mark) => new RegExp(`"${mark}"\\s*:\\s*"?(10|\\d)\\b`).exec(answer)?.[1]);
    const isWhole = !marks.includes(undefined);
    return { questions: isWhole ? [marks.join(' ')] : [], dropped: {}, outcome: isWhole ? 'questions' : 'unparsable' };
  },
};

/** A question's marks. */
export interface Judgement {
  question: string;
  /** Answerable, understandable, worth asking. */
  marks: number[];
  /** The lowest of them. */
  lowest: number;
}

/**
 * Has a model judge each training question beside its chunk, and keeps those with no mark below 7. A question that got
 * no marks is kept. Marks are paid for once: they are on disk.
 * @param settings `model` is the judge; best another than the one that asked.
 * @throws Error as `createLlmGenerator`.
 */
export async function judgeQuestions(
  result: GatedQuestions,
  chunks: SourceChunk[],
  settings: LlmSettings,
): Promise<{ result: GatedQuestions; judgements: Judgement[] }> {
  const pairs = chunks.flatMap(({ id: chunkId, text }) =>
    (result.questions.get(chunkId) ?? []).map((question) => {
      const id = JSON.stringify([chunkId, question]);
      return { id, chunkId, question, text: `Query: ${question}\n\nPassage:\n"""\n${text}\n"""` };
    }),
  );
  const judge = createLlmGenerator({ ...settings, task: JUDGING });
  const title = `Questions judged by ${settings.model}`;
  const options = { questionsPerChunk: 1, corpus: 'train-judge' };
  const { questions: answers } = await stoppable((signal) =>
    generateWithBar(title, judge, pairs, { ...options, signal }),
  );
  const judgements: Judgement[] = [];
  const kept: typeof pairs = [];
  const dropped: DroppedQuestion[] = [];
  for (const pair of pairs) {
    const { chunkId, question } = pair;
    const marks = answers.get(pair.id)?.[0]?.split(' ').map(Number);
    const lowest = Math.min(...(marks ?? [10]));
    if (marks) judgements.push({ question, marks, lowest });
    if (lowest >= LEAST) kept.push(pair);
    else dropped.push({ chunkId, question, reason: `judged below ${LEAST}`, detail: marks!.join(', ') });
  }
  return { result: keepOnly(result, kept, dropped), judgements };
}

/** How many questions have which lowest mark. */
export function judgementHistogram(judgements: Judgement[]): Chart {
  const x = Array.from({ length: 11 }, (_, mark) => mark);
  const y = x.map((mark) => judgements.filter(({ lowest }) => lowest === mark).length);
  return [
    [{ type: 'bar', name: 'questions', x, y, marker: { color: x.map((mark) => (mark < LEAST ? GREY : BLUE)) } }],
    { xaxis: { title: { text: 'lowest of three marks' }, dtick: 1 }, yaxis: { title: { text: 'questions' } } },
    { title: 'What the judge thinks', caption: `${LEAST} and more are kept; grey ones are not.` },
  ];
}

/** Rows for `table`: the questions that the judge thinks least of, and most. */
export function judgementRows(judgements: Judgement[], ofEach = 4): Row[] {
  const sorted = [...judgements].sort((a, b) => a.lowest - b.lowest);
  const shown = [...sorted.slice(0, ofEach), ...sorted.slice(ofEach).slice(-ofEach)];
  return shown.map(({ question, marks: [answerable, understandable, worth] }) => ({
    question: shorten(question, 160),
    answerable,
    understandable,
    'worth asking': worth,
  }));
}
