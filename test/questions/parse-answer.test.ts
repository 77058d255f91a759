import { parseAnswer } from 'finetune-embedding/dist/questions/parse-answer.js';
import { describe, expect, it } from 'vitest';

const TWO = ['What does a lighthouse do?', 'Who keeps the lamp lit?'];
const JSON_TWO = JSON.stringify({ questions: TWO });

describe('parseAnswer reads two questions out of', () => {
  it.each([
    ['JSON', JSON_TWO],
    ['a bare list', JSON.stringify(TWO)],
    [
      'objects',
      JSON.stringify([
        { question: TWO[0], answer: 'It shines.' },
        { question: TWO[1], answer: 'Ada.' },
      ]),
    ],
    ['numbered keys', JSON.stringify({ Q1: TWO[0], Q2: TWO[1], difficulty: 'easy' })],
    ['prose around JSON', `Of course [1]! {note} Here:\n${JSON_TWO}\nDo you need more questions?`],
    ['a fenced block', `\`\`\`json\n${JSON_TWO}\n\`\`\``],
    ['a trailing comma', `{"questions": ["${TWO[0]}", "${TWO[1]}",]}`],
    ['a missing comma', `{"questions": ["${TWO[0]}"\n"${TWO[1]}"]}`],
    ['a comment', `{"questions": ["${TWO[0]}", // the easy one\n"${TWO[1]}"]}`],
    ['line breaks in a string', `{"questions": ["What does\na lighthouse do?", "${TWO[1]}"]}`],
    ['JSON cut off behind the second', JSON_TWO.slice(0, -2)],
    ['JSON cut off in the third', `{"questions": ["${TWO[0]}", "${TWO[1]}", "Where is`],
    ['JSON cut off in a key', `[{"question": "${TWO[0]}"}, {"question": "${TWO[1]}", "ans`],
    ['JSON cut off behind a key', `[{"question": "${TWO[0]}"}, {"question": "${TWO[1]}", "answer":`],
    ['a numbered list', `Here are two questions:\n\n1. ${TWO[0]}\n\n2) ${TWO[1]}\n\nGood luck?`],
    ['bold numbers', `**1.** ${TWO[0]}\n**2.** ${TWO[1]}`],
    ['bold questions', `1. **${TWO[0]}**\n2. **${TWO[1]}**`],
    ['labels', `Question 1: ${TWO[0]}\nAnswer: It shines.\nQuestion 2: ${TWO[1]}\nAnswer: Ada.`],
    ['bullets', `- ${TWO[0]}\n• "${TWO[1]}"`],
    ['one line', `1. ${TWO[0]} 2. ${TWO[1]}`],
    ['lines', `${TWO[0]}\n\n${TWO[1]}\n`],
    ['repeats', `${TWO[0]}\n${TWO[0].toUpperCase()}\n${TWO[1]}`],
    ['thoughts before the answer', `<think>\n1. Should I ask this?\n</think>\n${JSON_TWO}`],
    ['thoughts without an opening tag', `1. Should I ask this?\n</think>\n\`\`\`json\n${JSON_TWO}\n\`\`\``],
    [
      'a channel for the answer',
      `<|channel|>analysis<|message|>Two, then.<|end|><|channel|>final<|message|>${JSON_TWO}`,
    ],
    ['a tool call', `<tool_call>{"name": "ask", "arguments": ${JSON_TWO}}</tool_call>`],
    ['a tool call whose arguments are a text', JSON.stringify({ name: 'ask', arguments: JSON_TWO })],
    ['numbers inside JSON', JSON.stringify({ questions: TWO.map((question, i) => `${i + 1}. ${question}`) })],
  ])('%s', (_, raw) => {
    const { questions, outcome } = parseAnswer(raw, 2);
    expect(questions.map((question) => question.toLowerCase())).toEqual(TWO.map((question) => question.toLowerCase()));
    expect(outcome).toBe('questions');
  });
});

describe('parseAnswer', () => {
  it.each([
    ['', 'empty'],
    [' \n', 'empty'],
    ['[]', 'empty'],
    ['{"questions": []}', 'empty'],
    ['{ "queries": [ ] }', 'empty'],
    ['{"questions": [""]}', 'unparsable'],
    ["I'm sorry, but I can't help. Would you like something else?", 'unparsable'],
    ['{"error": "overloaded"}', 'unparsable'],
    ['{"questions": ["What is', 'unparsable'],
    ['The passage is a table of contents.', 'unparsable'],
    ['<think>What could I ask?', 'empty'],
  ])('finds nothing in %j: %s', (raw, outcome) => {
    expect(parseAnswer(raw, 2)).toMatchObject({ questions: [], outcome });
  });

  it('keeps what is not English, and instructions without a question mark in a list', () => {
    expect(parseAnswer('1. 灯塔有什么作用？\n2. Describe how the lamp is kept lit.', 2).questions).toEqual([
      '灯塔有什么作用？',
      'Describe how the lamp is kept lit.',
    ]);
  });

  it('reads keywords and claims in a list, and leaves its heading', () => {
    const listed = '## Searches\n1. lighthouse lamp\n2. **The lamp burns oil.**\n3. Conclusion';
    expect(parseAnswer(listed, 3).questions).toEqual(['lighthouse lamp', 'The lamp burns oil.']);
  });

  it('does not take a number for a list marker', () => {
    expect(parseAnswer('{"questions": ["3.5 million lamps were sold when?"]}', 1).questions).toEqual([
      '3.5 million lamps were sold when?',
    ]);
  });

  it('leaves aside what is too much, repeated or a refusal, and counts it', () => {
    const raw = JSON.stringify([TWO[0], TWO[0], "I'm sorry, I can't.", TWO[1], 'And where is it?']);
    expect(parseAnswer(raw, 2)).toEqual({
      questions: TWO,
      dropped: {
        'repeated in the answer': 1,
        refusal: 1,
        'more than asked for': 1,
      },
      outcome: 'questions',
    });
  });

  it('reads 10 MB of whatever comes', () => {
    const size = 10 * 2 ** 20;
    expect(parseAnswer(`{"questions": ["${TWO[0]}"${' '.repeat(size)}, "cut`, 2).questions).toEqual([TWO[0]]);
    expect(parseAnswer(`${JSON_TWO}${'word '.repeat(size / 5)}`, 2).questions).toEqual(TWO);
    expect(parseAnswer(`${'"'.repeat(size)}?`, 2).outcome).toBe('unparsable');
    expect(parseAnswer(`{"queries": ["${'? "'.repeat(size / 3)}`, 2).dropped).toEqual({});
    expect(parseAnswer('['.repeat(size), 2).outcome).toBe('unparsable');
    expect(parseAnswer('{"'.repeat(size / 2), 2).outcome).toBe('unparsable');
  });
});
