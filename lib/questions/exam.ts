// In: settings. Out: exam questions as the task of a language model, each chunk's in a style of its own.
import { readFileSync } from 'node:fs';
import { sha256 } from '../common/ids';
import { isInAnotherLanguage } from '../common/text/language';
import type { GenerationOptions, QuestionStyle, SourceChunk } from './generator';
import type { LlmSettings, Task } from './llm-settings';
import { parseAnswer } from './parse-answer';
import { fillPrompt, jsonFormat, ownStyle, QUESTION_STYLES } from './prompt';

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
