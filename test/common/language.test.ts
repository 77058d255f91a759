import { isInAnotherLanguage, languageOf } from 'finetune-embedding/dist/common/text/language.js';
import { expect, it } from 'vitest';

const ENGLISH = 'The keeper of the lighthouse lights the lamp at dusk, and writes down which ships have passed.';
const GERMAN = 'Der Wärter des Leuchtturms zündet die Lampe an und schreibt auf, welche Schiffe vorbeifahren.';
const FRENCH = 'Le gardien du phare allume la lampe et note quels navires sont passés au large.';
const SPANISH = 'El guardián del faro enciende la lámpara y anota los barcos que pasan por la noche.';
const CHINESE = '灯塔的看守人在黄昏时点亮灯，并记录经过的船只。';
const RUSSIAN = 'Смотритель маяка зажигает лампу в сумерках и записывает проходящие корабли.';
const TABLE = 'Quebec\t12\t14\nParis\t7\t9\nLos Angeles\t3\t4\nRio de Janeiro\t5\t6';

it.each([
  ['¿Qué dice la sección 1?', ENGLISH],
  ['Wer zündet die Lampe an?', ENGLISH],
  ['Quels navires sont notés par le gardien ?', ENGLISH],
  ['灯塔的看守人什么时候点亮灯？', ENGLISH],
  ['Что записывает смотритель маяка?', ENGLISH],
  ['Who lights the lamp of the lighthouse?', GERMAN],
  ['Who lights the lamp of the lighthouse?', CHINESE],
  ['Quels navires sont notés par le gardien ?', SPANISH],
  ['What does the keeper write down?', RUSSIAN],
])('%s is in another language than %s', (question, chunk) => {
  expect(isInAnotherLanguage(question, chunk)).toBe(true);
});

it.each([
  ['Who lights the lamp?', ENGLISH],
  ['Wer zündet die Lampe an?', GERMAN],
  ['Quels navires sont notés par le gardien ?', FRENCH],
  ['¿Quién enciende la lámpara del faro?', SPANISH],
  ['灯塔的看守人什么时候点亮灯？', CHINESE],
  // Names do not count for more than the words around them.
  ['Who founded La Casa de la Playa de los Reyes?', ENGLISH],
  ['How does the 看守人 of 灯塔 in 黄昏 work?', ENGLISH],
  // Nothing to tell by.
  ['Lamp oil, litres a year?', ENGLISH],
  ['How many people live in Los Angeles?', TABLE],
  // Two languages in one chunk.
  ['Qui allume la lampe du phare ?', `${ENGLISH} ${FRENCH}`],
  ['Who lights the lamp of the lighthouse?', `${ENGLISH} ${FRENCH}`],
  // A language that is not known here.
  ['Kdo rozsvěcí lampu a kdy to bylo?', ENGLISH],
])('%s is not in another language than %s', (question, chunk) => {
  expect(isInAnotherLanguage(question, chunk)).toBe(false);
});

it.each([
  ENGLISH,
  TABLE,
  `${ENGLISH} ${FRENCH}`,
  // Names, figures and abbreviations: "per", "la" and "des" are words elsewhere.
  'Net loss per share attributable to common stockholders\t$(6.81)\t$(3.86)',
  'Casa de la Playa\t12\nHôtel des Reyes\t14',
  '',
])('%s passes for English', (text) => {
  expect(languageOf(text)).toBe('English');
});

it.each([
  [GERMAN, 'German'],
  [FRENCH, 'French'],
  [SPANISH, 'Spanish'],
  [CHINESE, 'Chinese or Japanese'],
  [RUSSIAN, 'Cyrillic'],
])('%s is %s', (text, language) => {
  expect(languageOf(text)).toBe(language);
});
