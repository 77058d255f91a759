import { terms } from 'finetune-embedding/dist/common/text/terms.js';
import { describe, expect, it } from 'vitest';

describe('terms', () => {
  it.each([
    ['companies', 'company'],
    ['employees', 'employee'],
    ['expenses', 'expense'],
    ['shoes', 'shoe'],
    ['drivers', 'driver'],
    ['leasing', 'leases'],
  ])('%s meets %s', (word, other) => expect(terms(word)).toEqual(terms(other)));

  it('keeps apart what only looks like a plural', () => {
    expect(terms('status')).not.toEqual(terms('state'));
    expect(terms('business')).not.toEqual(terms('bus'));
  });

  it('keeps numbers and abbreviations whole, and drops stop words', () => {
    expect(terms("What was the company's revenue in the U.S.: $1,234.5 million?")).toEqual(
      terms('company revenue us 1234.5 million'),
    );
    expect(terms('U.S. 1,234.5')).toEqual(['us', '1234.5']);
    expect(terms('What was it, and why did its owner not say when?')).toEqual(terms('owner say'));
  });

  it.each([
    ['Fähren', 'Fähre'],
    ['Kindern', 'Kindes'],
    ['Häuser', 'Haus'],
    ['kosteten', 'kostet'],
    ['ältesten', 'älter'],
  ])('in German, %s meets %s', (word, other) => expect(terms(word, 'German')).toEqual(terms(other, 'German')));

  it('in German, drops its stop words and keeps short words and numbers', () => {
    expect(terms('Wie viele Fähren fuhren 1994 um 6:15 Uhr, und warum?', 'German')).toEqual(
      expect.arrayContaining(['fahr', 'fuhr', '1994', '6', '15']),
    );
    expect(terms('Wie wird das, und warum nicht für die?', 'German')).toEqual([]);
    expect(terms('Tor Eis See', 'German')).toEqual(['tor', 'eis', 'see']);
  });

  it('tells words apart where no spaces do', () => {
    expect(terms('漁業日誌は何冊ありますか。')).toEqual(expect.arrayContaining(['漁業', '日誌']));
    expect(terms('图书馆的预算')).toContain('预算');
    expect(terms('ห้องสมุดเปิดกี่โมง')).toContain('เปิด');
    expect(terms('NHKの朝のニュース')).toEqual(expect.arrayContaining(['nhk', 'ニュース']));
  });
});
