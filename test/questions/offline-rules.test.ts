import { parseClause } from 'finetune-embedding/dist/questions/offline/clause.js';
import { claimOf, questionsFromClause } from 'finetune-embedding/dist/questions/offline/clause-questions.js';
import { isWellFormed } from 'finetune-embedding/dist/questions/offline/well-formed.js';
import { describe, expect, it } from 'vitest';

const questionsOf = (sentence: string): string[] => {
  const clause = parseClause(sentence);
  return clause ? questionsFromClause(clause).map(({ text }) => text) : [];
};

describe('a sentence with a figure', () => {
  it.each([
    [
      'The bakery employed 63 apprentices at the end of the year.',
      'How many apprentices did The bakery employ at the end of the year?',
    ],
    ['Wholesale revenue rose by 8.4 per cent in the north.', 'By how much did Wholesale revenue rise in the north?'],
    ['The new oven saved $3.1 million in the spring.', 'How much did The new oven save in the spring?'],
  ])('%s', (sentence, question) => {
    expect(questionsOf(sentence)).toContain(question);
  });

  it('asks when, wherever the date stands', () => {
    for (const sentence of [
      'On March 2, 2021, Ada Brook sold the old mill.',
      'Ada Brook sold the old mill on March 2, 2021.',
    ])
      expect(questionsOf(sentence)).toEqual(['When did Ada Brook sell the old mill?']);
  });

  it('asks since, until or by when, as the sentence has it', () => {
    expect(questionsOf('Ada Brook has been chief baker since 2019.')).toContain(
      'Since when has Ada Brook been chief baker?',
    );
    expect(questionsOf('The licence is held until March 2031.')).toContain('Until when is The licence held?');
  });
});

describe('a sentence about how things are', () => {
  it('becomes a question to be answered by yes or no, not by a way of doing', () => {
    const questions = questionsOf('The merger needs the consent of the guild.');
    expect(questions.map((text) => text.toLowerCase())).toEqual(['does the merger need the consent of the guild?']);
  });
});

describe('a sentence that was misread', () => {
  it.each([
    'Environment and climate The ovens emitted 12 tonnes of soot.', // heading before its sentence
    'Measured at constant prices revenue grew in the north.',
    'The rest of it was lost.',
    'The increase was large.',
  ])('gives no clause: %s', (sentence) => {
    expect(parseClause(sentence)).toBeUndefined();
  });

  it('is known by its verb, which must agree with the subject', () => {
    expect(questionsOf('Hopper offers boats for up to twelve passengers.').join()).not.toMatch(/boat for/);
    expect(questionsOf('The builder bears liquidated damages for late delivery.').join()).not.toMatch(
      /bears liquidate /,
    );
  });
});

describe('isWellFormed', () => {
  it.each([
    'How does the bakery keep its ovens hot when the power fails?',
    'Why did the wholesale price of rye rise in the spring?',
    'By how much did sales of spelt bread grow in 2023?',
    'Has the guild asked for a shorter working week?',
  ])('takes %s', (question) => {
    expect(isWellFormed(question)).toBe(true);
  });

  it.each([
    'When was the bakery founded in its present form, listed its shares?', // a second verb after the comma
    'How does measured at constant prices sales grew in the north?',
    'Why is a further sum restricted: it consists of deposits?',
    'How does price pressure The bakery caps its prices?', // a heading in front
    'Why were prices for this service high?',
    'Are transfers priced as described in note 3?',
    'How are costs capitalised from the point?',
    'Why do as the bakery not sets the price of flour?', // a clause where the subject belongs
    'When was the oven bought on 9?',
    'How could the rest be lost the mill would be late by a year?',
  ])('refuses %s', (question) => {
    expect(isWellFormed(question)).toBe(false);
  });
});

describe('a sentence that is too involved to be turned round', () => {
  it('becomes a question for its truth', () => {
    expect(claimOf('However, a loaf that cools overnight is drier in the morning.', () => 0)[0]).toEqual({
      kind: 'claim',
      text: 'Is it true that a loaf that cools overnight is drier in the morning?',
    });
  });

  it.each([
    'This makes it crack sooner than the others do.', // leans on the sentence before
    'Rye, spelt and the price of wheat.', // no verb
    'We bake at night and sell the bread to caterers.', // `the company bakes … and sell`
  ])('unless it does not stand alone: %s', (sentence) => {
    expect(claimOf(sentence, () => 0)).toEqual([]);
  });
});
