// In: a chunk, a style and a number of questions. Out: the message sent to the model, and the answer's JSON schema.
import type { QuestionStyle } from './generator';

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
export const ownStyle = (examples: string[]): StylePrompt => ({
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
