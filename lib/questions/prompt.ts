// In: a chunk and a number of questions. Out: the message sent to the model, and the answer's JSON schema.
import type { SourceChunk } from './generator';

/**
 * The prompt: a teacher setting an exam, one passage at a time. `{count}` and `{text}` are filled in for each chunk.
 * It asks for JSON in words too, for servers that know no structured output.
 */
export const EXAM_PROMPT = `You are a teacher setting an exam about the document that the passage below comes from.
Write exactly {count} exam question(s) that this passage answers.

- Every question is answered by the passage alone; bring in no outside knowledge.
- Every question asks about a different point; together they cover the passage.
- A student who has never seen the passage must understand the question: name the companies, people, \
products, years and terms it is about. Never speak of "the passage", "the context", "the text" or "the document".
- Write in the language of the passage. Ask one thing at a time. Give no answers.

Answer with JSON only, in this form: {"questions": ["…"]}

Passage:
"""
{text}
"""`;

/**
 * The message for one chunk.
 * @param template A prompt with `{text}`, and `{count}` where the number of questions belongs; else `EXAM_PROMPT`.
 * @throws Error if the template has no `{text}`.
 */
export function fillPrompt(
  template: string | undefined,
  chunk: Pick<SourceChunk, 'text'>,
  questionsPerChunk: number,
): string {
  template ??= EXAM_PROMPT;
  if (!template.includes('{text}')) throw new Error('The prompt has no {text}: put it where the chunk belongs.');
  // One pass, so that braces in the chunk itself stay as they are.
  return template.replace(/\{(text|count)\}/g, (_, name) => (name === 'text' ? chunk.text : String(questionsPerChunk)));
}

/** `response_format` of structured output; the count is left to the prompt, since many servers refuse `minItems`. */
export const QUESTIONS_FORMAT = {
  type: 'json_schema' as const,
  json_schema: {
    name: 'exam_questions',
    strict: true,
    schema: {
      type: 'object',
      properties: { questions: { type: 'array', items: { type: 'string' } } },
      required: ['questions'],
      additionalProperties: false,
    },
  },
};
