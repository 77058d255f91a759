// In: settings, a chunk and a number of questions. Out: exam questions as a language model's task: the message sent to
// it, each chunk's in a style of its own, and how its answer is read.
import { readFileSync } from 'node:fs';
import { sha256 } from '../common/ids';
import { isInAnotherLanguage } from '../common/text/language';
import type { GenerationOptions, QuestionStyle, SourceChunk } from './generator';
import type { LlmSettings, Task } from './llm-settings';
import { parseAnswer } from './parse-answer';

/** A style: what a model is told to write, and what it looks like. */
export interface StylePrompt {
  task: string;
  examples: string[];
}

/** People ask in full sentences, type keywords, check claims, and use other words than the text. */
export const QUESTION_STYLES: Record<Exclude<QuestionStyle, 'own'>, StylePrompt> = {
  question: {
    task: 'question(s), each a full sentence that ends in a question mark',
    examples: [
      'How many days may a reader of the Harrow lending library keep a map?',
      'Why did the Orley ferry stop carrying cars in 1987?',
    ],
  },
  keywords: {
    task: 'keyword search(es), each two to eight words as people type them into a search box, no sentence',
    examples: [
      'Harrow library map loan period',
      'Orley ferry cars 1987 reason',
      'rye bread oven temperature Tilda bakery',
    ],
  },
  claim: {
    task: 'claim(s) that somebody wants to have checked, each a statement of one sentence that is true, no question',
    examples: [
      'The Harrow lending library lends maps for thirty days.',
      'The Orley ferry gave up cars because its ramp was too steep.',
    ],
  },
  paraphrase: {
    task:
      'question(s) by somebody who does not know the words of the passage: keep its names and numbers, and say ' +
      'everything else in other words; each ends in a question mark',
    examples: [
      'For how long can I hold on to a chart borrowed in Harrow?',
      'What made the boats at Orley give up on vehicles in 1987?',
    ],
  },
};

/** What a model imitates where readers gave queries of their own (Promptagator: Dai et al. 2022, section 3.1). */
const ownStyle = (examples: string[]): StylePrompt => ({
  task: 'search query or queries, just as the people would type them whose queries are shown below',
  examples,
});

/**
 * The prompt: test questions for a search, one passage at a time. `{count}`, `{task}`, `{examples}`, `{refused}` and
 * `{text}` are filled in for each chunk. It asks for JSON in words too, for servers that know no structured output.
 */
export const EXAM_PROMPT = `You set an exam for a search engine: for each thing you write, it must find the passage \
below among thousands of others, many of them much like it.
Write exactly {count} {task}.

They look like these, which are about something else:
{examples}

- Each is answered or shown by the passage alone; bring in no outside knowledge.
- Each is about a different point; together they cover the passage.
- Somebody who has never seen the passage must understand it: name the companies, people, products, years and terms \
it is about. Never speak of "the passage", "the context", "the text", "the author" or "the document", nor of its \
sections, tables and pages.
- Write in the language of the passage. One thing at a time. Give no answers.
{refused}
Answer with JSON only, in this form: {"queries": ["…"]}

Passage:
"""
{text}
"""`;

/** The message for one chunk. What was written about it before, and dropped, is `refused`. */
export function fillPrompt(text: string, count: number, style: StylePrompt, refused: string[] = []): string {
  const list = (items: string[]) => items.map((item) => `- ${item}`).join('\n');
  // A model that rambled shall not fill the prompt.
  const shown = refused.slice(0, 5).map((question) => question.slice(0, 150));
  const again = 'These were refused, as vague or malformed. Write about other points, in other words:';
  const places: Record<string, string> = {
    text,
    count: String(count),
    task: style.task,
    examples: list(style.examples),
    refused: refused.length > 0 ? `${again}\n${list(shown)}\n` : '',
  };
  // One pass, so that braces in the chunk itself stay as they are.
  return EXAM_PROMPT.replace(/\{(text|count|task|examples|refused)\}/g, (_, name) => places[name]);
}

/** `response_format` of structured output: an object of these properties. */
export const jsonFormat = (name: string, properties: Record<string, object>) => ({
  type: 'json_schema' as const,
  json_schema: {
    name,
    strict: true,
    schema: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
  },
});

// The count is left to the prompt, since many servers refuse `minItems`.
const QUESTIONS_FORMAT = jsonFormat('exam', { queries: { type: 'array', items: { type: 'string' } } });

/** @throws Error if a style or a file of examples is none. */
export function examOf({ styles, exampleFiles = [] }: LlmSettings): Task {
  const names = styles?.length ? styles : Object.keys(QUESTION_STYLES);
  const unknown = names.find((name) => !Object.hasOwn(QUESTION_STYLES, name));
  if (unknown !== undefined)
    throw new Error(`QUESTION_STYLES names "${unknown}"; there are ${Object.keys(QUESTION_STYLES).join(', ')}.`);
  const examples = exampleFiles.flatMap(linesOf);
  /** Its text draws a chunk's style, the same in every run; when it is asked about again, the next one is taken. */
  const styleOf = ({ id, text }: SourceChunk, { refused }: GenerationOptions): QuestionStyle => {
    if (examples.length > 0) return 'own';
    const drawn = Number.parseInt(sha256(text).slice(0, 8), 16) + Number(refused?.has(id) ?? false);
    return names[drawn % names.length] as QuestionStyle;
  };
  return {
    format: QUESTIONS_FORMAT,
    style: styleOf,
    message(chunk, options) {
      const name = styleOf(chunk, options);
      const style = name === 'own' ? ownStyle(examples) : QUESTION_STYLES[name];
      return fillPrompt(chunk.text, options.questionsPerChunk, style, options.refused?.get(chunk.id));
    },
    read(answer, chunk, options) {
      const parsed = parseAnswer(answer, options.questionsPerChunk);
      const leave = (reason: string, isWrong: (question: string) => boolean) => {
        const left = parsed.questions.filter((question) => !isWrong(question));
        if (left.length < parsed.questions.length) parsed.dropped[reason] = parsed.questions.length - left.length;
        parsed.questions = left;
      };
      leave('one of the examples', (question) => examples.includes(question));
      leave('in another language', (question) => isInAnotherLanguage(question, chunk.text));
      return parsed;
    },
  };
}

/** @throws Error that names the file, if it cannot be read or holds no query. */
function linesOf(file: string): string[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => line.trim() || []);
  if (lines.length === 0) throw new Error(`QUESTION_EXAMPLES: ${file} is empty; write queries into it, one a line.`);
  return lines;
}
