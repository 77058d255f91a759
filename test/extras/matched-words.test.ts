import { loadModel, loadTokenizer, rankByVectors, wordEmbedder } from 'finetune-embedding';
import { matchedWords, matchWords, renderMatches, type Words } from 'finetune-embedding/dist/extras/matched-words.js';
import { wordSpans } from 'finetune-embedding/dist/model/word-spans.js';
import { JSDOM } from 'jsdom';
import { describe, expect, it, vi } from 'vitest';

const TINY = 'test/fixtures/tiny-bert';
const tokenizer = loadTokenizer(TINY);

describe('words and their pieces', () => {
  const texts = [
    'Crème brûlée costs €5.20; don’t ask the U.S. “why”—x',
    'page\fbreak, soft\u00adhyphen, zero\u200bwidth, mark\ufeffed \0 \ufffd',
    '東京都 and 𝒜𝒷 👍🏽, café',
    `${'x'.repeat(150)} unbelievably\n\tlong`,
    '<b onclick="x">&amp;</b>',
    '',
  ];
  it.each(texts)('cuts %j where the tokenizer does', (text) => {
    const spans = wordSpans(tokenizer, text);
    const ids = spans.flatMap(({ start, end }) => [...tokenizer.encodeWhole(text.slice(start, end))]);
    expect(ids).toEqual([...tokenizer.encodeWhole(text)]);
    expect(spans.reduce((sum, { pieces }) => sum + pieces, 0)).toBe(ids.length);
  });

  it.each(['roberta', 'xlm-roberta'])(
    'of %s counts all pieces, those of white space with the word after it',
    (kind) => {
      const other = loadTokenizer(`test/fixtures/tiny-${kind}`);
      for (const text of [...texts, ' the  port\n\nof ferry. ', 'Die Fähre legt ab, sagte sie.\n海と漁業。']) {
        const spans = wordSpans(other, text);
        expect(
          spans.reduce((sum, { pieces }) => sum + pieces, 0),
          text,
        ).toBe(other.encodeWhole(text).length);
        const words = spans.map(({ start, end }) => text.slice(start, end));
        if (/[東海]/.test(text)) expect(words.join('')).toBe(text.replace(/\s/g, ''));
        else expect(words).toEqual(text.match(/\S+/g) ?? []);
      }
    },
  );

  it('takes pieces for words where no spaces stand between words', () => {
    const wordsOf = (text: string) =>
      wordSpans(loadTokenizer('test/fixtures/tiny-xlm-roberta'), text).map(({ start, end }) => text.slice(start, end));
    expect(wordsOf('Die 図書館の本。')).toEqual(['Die', '図書館の', '本', '。']);
    // "誰" is unknown to it, and "１２" is read as "12".
    expect(wordsOf('館長は誰ですか。１２年')).toEqual(['館', '長', 'は', '誰で', 'す', 'か', '。', '１２年']);
    expect(wordsOf('館は誰')).toEqual(['館', 'は', '誰']);
  });

  it('says where each stands in the original', () => {
    const text = 'Ünder 9,100 taps';
    const spans = wordSpans(tokenizer, text);
    expect(spans.map(({ start, end }) => text.slice(start, end))).toEqual(['Ünder', '9', ',', '100', 'taps']);
  });
});

/** A text of words of one letter or more, each with so many vectors as it has rows. */
function words(text: string, rows: number[][][]): Words {
  const parts = [...text.matchAll(/\S+/g)];
  const spans = parts.map(({ 0: word, index }, i) => ({
    start: index,
    end: index + word.length,
    pieces: rows[i].length,
  }));
  const data = Float32Array.from(rows.flat(2));
  return { text, spans, vectors: { data, rows: rows.flat().length, columns: 2 } };
}

describe('matching', () => {
  // Cosines of a: x 0.6, y 0; of the pieces of bc: x 0.8, y 1; x 0.96, y 0.6.
  const question = words('a bc', [
    [[1, 0]],
    [
      [0, 2],
      [4, 3],
    ],
  ]);
  const chunk = words('x -- y', [[[0.6, 0.8]], [], [[0, 5]]]);

  it('takes the mean of each piece’s best cosine apart, word by word', () => {
    const { score, best, contributions, finders } = matchWords(question, chunk);
    expect(score).toBeCloseTo((0.6 + 1 + 0.96) / 3, 6);
    [(0.6 + 0.96) / 3, 0, 1 / 3].forEach((value, i) => {
      expect(contributions[i]).toBeCloseTo(value, 6);
    });
    expect(best.map(({ word }) => word)).toEqual([0, 2]);
    expect(finders).toEqual([[0, 1], [], [1]]);
    expect(best[0].cosine).toBeCloseTo(0.6, 6);
  });

  const hostile = '<img/src=x/onerror=alert(1)> "quoted\'';
  const attack = words(hostile, [[[1, 0]], [[0, 1]]]);
  const models = ['base', 'fine-tuned'].map((name) => ({ name, question: attack, chunk: attack }));

  it('shows hostile texts as they are', () => {
    const { document } = new JSDOM(renderMatches(models).html).window;
    expect(document.querySelectorAll('img, [onerror]')).toHaveLength(0);
    const shown = [...document.querySelectorAll('[data-word]')].map((word) => word.textContent);
    expect(shown).toEqual([...hostile.split(' '), ...hostile.split(' ')]);
    expect(document.querySelector('[data-finds]')?.getAttribute('title')).toBe(
      `base: ${hostile.split(' ')[0]} 1.00 · fine-tuned: ${hostile.split(' ')[0]} 1.00`,
    );
  });

  it('stays readable without styles: what was found is bold, and says by its number which word found it', () => {
    const { document } = new JSDOM(
      renderMatches([{ name: 'base', question, chunk }]).html.replace(/ style=("[^"]*"|[^ >]*)/g, ''),
    ).window;
    const cell = document.querySelector('td')?.innerHTML.replace(/<(\w+)[^>]*>/g, '<$1>');
    expect(cell).toBe('<b>x</b><sup>1,2</sup> -- <b>y</b><sup>2</sup>');
    expect(document.querySelectorAll('th')[1].textContent).toBe('base: 0.853');
  });

  it('leaves out what is far from any word that was found, and stays small', () => {
    const long = Array.from({ length: 1500 }, (_, i) => `word${i}`).join(' ');
    const far = words(
      long,
      Array.from({ length: 1500 }, (_, i) => [i === 700 ? [1, 0.1] : [-1, -1]]),
    );
    const asked = words('a', [[[1, 0]]]);
    const { html } = renderMatches(['base', 'fine-tuned'].map((name) => ({ name, question: asked, chunk: far })));
    const text = new JSDOM(html).window.document.querySelector('td')?.textContent;
    expect(text).toMatch(/^ … word692 .* word700\S* .* word708 … $/);
    expect(html.length).toBeLessThan(10_000);
  });

  it('joins a hovered or focused word to what it found in each column, and lets go', () => {
    const { html } = renderMatches(['base', 'fine-tuned'].map((name) => ({ name, question, chunk })));
    const { document, Event } = new JSDOM(html, { runScripts: 'dangerously' }).window;
    const outlined = () =>
      [...document.querySelectorAll<HTMLElement>('[style*="outline:"]')].map((word) => word.firstChild?.textContent);
    const line = () => document.querySelector('svg path')?.getAttribute('d');
    const word = document.querySelectorAll('[data-finds]')[1];
    for (const [on, off] of [
      ['pointerover', 'pointerout'],
      ['focusin', 'focusout'],
    ]) {
      word.querySelector('sup')?.dispatchEvent(new Event(on, { bubbles: true }));
      expect(outlined()).toEqual(['bc', 'y', 'y']);
      expect(line()?.match(/M/g)).toHaveLength(2);
      word.dispatchEvent(new Event(off, { bubbles: true }));
      expect(outlined()).toEqual([]);
      expect(line()).toBe('');
    }
  });

  it.each([
    ['without prompts', { query: '', document: '' }],
    ['with prompts', { query: 'which market: ', document: 'of a river in winter: ' }],
  ])('takes apart the very score that late interaction gives, %s', async (_, prompts) => {
    const model = await loadModel(TINY, { name: 'tiny', prompts });
    const [asked, text] = ['Which river?', 'A stone in the river, beside the market: unbelievable bread.'];
    const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await matchedWords(asked, text, [model], { size: 6 });
    const [printed] = print.mock.calls.map(([line]) => String(line));
    print.mockRestore();
    const embedder = wordEmbedder(model, { size: 6 }, 1);
    const [[{ score }]] = rankByVectors(await embedder.embedQueries([asked]), await embedder.embedDocuments([text]), [
      'text',
    ]);
    expect(Number(/tiny (-?[\d.]+)/.exec(printed)?.[1])).toBeCloseTo(score, 2); // documents are in 8 bits
    expect(printed).toMatch(/Which → \S+ [\d.]+, river → \S+ [\d.]+, \? → /);
  });
});
