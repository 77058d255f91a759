import { faultOf } from 'finetune-embedding/dist/questions/rules.js';
import { describe, expect, it } from 'vitest';

const CHUNK = 'The Marlin ferry sails from Hail at six and carries 240 passengers, for a fare of nine crowns.';

describe('a question that names the context', () => {
  it.each([
    'According to the passage, who owns the ferry?',
    'What does the document say about ferries?',
    'Which risks are mentioned in the context?',
    'What is the main idea of this text?',
    "What is the author's view of ferries?",
    'Who is named in the given context information?',
    'Which ferry does the above excerpt describe?',
    'How many ferries does the provided text list?',
    'How is the passage structured?',
    'This passage contains information about ferries.',
    'What does Table 2 show about fares?',
    'What is the answer to question 3 about ferries?',
    'What does section 4.1 say about the fare?',
    'Which fares are listed on page 12?',
  ])('is dropped: %s', (question) => {
    expect(faultOf(question, CHUNK)?.reason).toBe('names the context');
  });

  it.each([
    'What does the document retention policy require?',
    'In the context of ferry operations, what is a slack tide?',
    'Who approved the passage of the harbour bill?',
    'Which text messages does the crew receive?',
    'Which documents must a skipper carry?',
    'How does context influence a reader?',
    'What does section 404 of the Sarbanes-Oxley Act require of a ferry company?',
    'How did the sales figures 2024 compare with those of 2023?',
    'When did the ferry company file for chapter 11?',
  ])('is not: %s', (question) => {
    expect(faultOf(question, CHUNK)).toBeUndefined();
  });
});

describe('faultOf', () => {
  it.each([
    ['3', 'too short'],
    ['#1', 'too short'],
    ['Hail', 'too short'],
    ['8.1', 'too short'],
    ['Why Hail?', 'too short'],
    ['<p>', 'echoes prompt or schema'],
    ['Question 1', 'echoes prompt or schema'],
    ['["…"]', 'echoes prompt or schema'],
    ['{"queries": ["…"]}', 'echoes prompt or schema'],
    ['Why did the Orley ferry stop carrying cars in 1987?', 'echoes prompt or schema'],
    ['Somebody who has never seen the passage must understand it', 'echoes prompt or schema'],
    ['How is the passage structured?', 'names the context'],
    ['The Marlin sails from Hail at six.', 'not in the form of its style'],
    ['A: In 2023 the Marlin carried many more cars.', 'echoes prompt or schema'],
    [`Why ${'very '.repeat(60)}late?`, 'too long'],
  ])('of the question %j: %s', (question, reason) => {
    expect(faultOf(question, CHUNK, 'question')?.reason).toBe(reason);
  });

  it.each([
    ['When does the Marlin sail from Hail?', 'question'],
    ['马林号渡轮载多少乘客？', 'question'],
    ['Marlin ferry fare', 'keywords'],
    ['The Marlin ferry carries 240 passengers.', 'claim'],
    ['How many people fit on board the Marlin?', 'paraphrase'],
    ['marlin timetable', 'own'],
    ['It is true that the Marlin sails at six.', undefined],
  ] as const)('none: %s (%s)', (question, style) => {
    expect(faultOf(question, CHUNK, style)).toBeUndefined();
  });

  it.each([
    ['When does the Marlin sail?', 'keywords'],
    ['Does the Marlin carry 240 passengers?', 'claim'],
    ['passengers on board the Marlin', 'paraphrase'],
  ] as const)('not in the form of its style: %s (%s)', (question, style) => {
    expect(faultOf(question, CHUNK, style)?.reason).toBe('not in the form of its style');
  });

  it('finds a paraphrase that only repeats its chunk', () => {
    const question = 'How many passengers does the Marlin ferry carry from Hail?';
    expect(faultOf(question, CHUNK, 'paraphrase')?.reason).toBe('a paraphrase in the words of its chunk');
  });
});
