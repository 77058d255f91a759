// In: a question, a chunk and models. Out: a figure of which words found each other, and what each adds to the score.
import { type Matrix, normalizedRows } from '../common/matrix';
import { rowProducts } from '../common/products';
import { wordVectors } from '../evaluate/word-embedder';
import type { EmbeddingModel } from '../model/embedding-model';
import type { Tokenizer } from '../model/tokenizer';
import { type WordSpan, wordSpans } from '../model/word-spans';
import { escapeHtml } from '../notebook/escape';
import { type Content, show } from '../notebook/output';
import { modelColor } from '../notebook/theme';

/** A text's words, and a vector for each of their pieces. */
export interface Words {
  text: string;
  spans: WordSpan[];
  /** [word pieces, dimensions] */
  vectors: Matrix;
}

/**
 * MaxSim (Khattab & Zaharia 2020, "ColBERT", section 3.3), taken apart: each piece of the question gives its best
 * cosine, divided by their number, to the word that it found.
 *
 * @returns the score; for each word of the question, the `best` match (the chunk's word by its index); for each word of
 *   the chunk, what it contributes to the score, and the question's words of which a piece found it
 */
export function matchWords(question: Words, chunk: Words) {
  const [asked, owners] = [question, chunk].map(({ spans }) =>
    spans.flatMap(({ pieces }, word) => Array<number>(pieces).fill(word)),
  );
  const cosines = rowProducts(normalizedRows(question.vectors), normalizedRows(chunk.vectors));
  const nothing = { word: -1, cosine: Number.NEGATIVE_INFINITY };
  const best = question.spans.map(() => nothing);
  const contributions = new Float64Array(chunk.spans.length);
  const finders = chunk.spans.map((): number[] => []);
  asked.forEach((asker, i) => {
    let found = nothing;
    owners.forEach((word, j) => {
      const cosine = cosines[i * owners.length + j];
      if (cosine > found.cosine) found = { word, cosine };
    });
    contributions[found.word] += found.cosine / asked.length;
    if (!finders[found.word].includes(asker)) finders[found.word].push(asker);
    if (found.cosine > best[asker].cosine) best[asker] = found;
  });
  return { score: contributions.reduce((sum, value) => sum + value, 0), best, contributions, finders };
}

/** Words shown on each side of one that was found. */
const CONTEXT = 8;

/** The words near one that was found. */
const near = (found: boolean[]): boolean[] =>
  found.map((_, i) => found.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).includes(true));

/** A text with each word that is shown as `word` makes it, and an ellipsis where some are not. */
function textHtml({ text, spans }: Words, word: (i: number) => string, shown: boolean[]): string {
  return spans
    .map(({ start }, i) => {
      if (!shown[i]) return i > 0 && !shown[i - 1] ? '' : ' … ';
      return (shown[i - 1] ? escapeHtml(text.slice(spans[i - 1].end, start)) : '') + word(i);
    })
    .join('');
}

const wordsOf = ({ text, spans }: Words): string[] => spans.map(({ start, end }) => text.slice(start, end));

/** Which words of the question are meant: what GitHub keeps of the figure, beside bold type. */
const numbers = (words: number[]): string => `<sup>${words.map((i) => i + 1)}</sup>`;

/** Joins a question's word, hovered or focused, to what it found. Runs in the page, as source text, and by itself. */
function joinOnHover(): void {
  for (const box of document.querySelectorAll<HTMLElement>('.matched-words:not([data-live])')) {
    box.dataset.live = 'true';
    const style = 'position:absolute;inset:0;width:100%;height:100%;pointer-events:none';
    box.insertAdjacentHTML(
      'beforeend',
      `<svg aria-hidden="true" style="${style}"><path fill="none" stroke="currentColor" stroke-width="1.5"/></svg>` +
        '<style>.matched-words sup { font: .6em sans-serif; opacity: .7 } .matched-words b { border-radius: 3px }</style>',
    );
    const lines = box.querySelector('path') as SVGPathElement;
    let marked: HTMLElement[] = [];
    const join = (event: Event): void => {
      for (const element of marked) element.style.outline = '';
      const { left, top } = box.getBoundingClientRect();
      const word = /over|in$/.test(event.type) && (event.target as Element).closest<HTMLElement>('[data-finds]');
      const targets = word ? (word.dataset.finds as string).split(',') : [];
      const found = targets.map((target, model) => box.querySelector<HTMLElement>(`[data-word="${model}-${target}"]`));
      marked = [word, ...found].filter((element) => element instanceof HTMLElement);
      for (const element of marked) element.style.outline = '2px solid';
      const [from, ...to] = marked.map((element) => element.getBoundingClientRect());
      const curves = to.map((end) => {
        const [x1, y1] = [from.left + from.width / 2 - left, from.bottom - top];
        const [x2, y2] = [end.left + end.width / 2 - left, end.top - top];
        const middle = (y1 + y2) / 2;
        return `M${x1},${y1}C${x1},${middle} ${x2},${middle} ${x2},${y2}`;
      });
      lines.setAttribute('d', curves.join(''));
    };
    for (const type of ['pointerover', 'pointerout', 'focusin', 'focusout']) box.addEventListener(type, join);
  }
}

/** The figure as HTML and text, for {@link matchedWords} and tests. */
export function renderMatches(models: { name: string; question: Words; chunk: Words }[]): Content {
  const [{ question, chunk }] = models;
  const matches = models.map((model) => ({ name: model.name, ...matchWords(model.question, model.chunk) }));
  const [asked, found] = [wordsOf(question), wordsOf(chunk)];
  const most = Math.max(...matches.flatMap(({ contributions }) => [...contributions]));
  const shown = near(found.map((_, i) => matches.some(({ contributions }) => contributions[i] > 0)));
  const pair = (best: ReturnType<typeof matchWords>['best'], i: number) =>
    best[i].word < 0 ? 'nothing' : `${found[best[i].word]} ${best[i].cosine.toFixed(2)}`;

  const asker = (i: number): string => {
    const told = matches.map(({ name, best }) => `${name}: ${pair(best, i)}`).join(' · ');
    const targets = matches.map(({ best }) => best[i].word);
    const attributes = `tabindex=0 data-finds=${targets} title="${escapeHtml(told)}"`;
    return `<span ${attributes}>${escapeHtml(asked[i])}${numbers([i])}</span>`;
  };
  const questionHtml = textHtml(question, asker, Array(asked.length).fill(true));
  const columns = matches.map(({ name, contributions, finders }, model) => {
    const word = (i: number): string => {
      if (contributions[i] <= 0) return escapeHtml(found[i]);
      const told = `${contributions[i].toFixed(3)}: ${finders[i].map((q) => asked[q]).join(', ')}`;
      const shade = modelColor(name) + Math.round(40 + (150 * contributions[i]) / most).toString(16);
      const attributes = `data-word=${model}-${i} title="${escapeHtml(told)}" style=background:${shade}`;
      return `<b ${attributes}>${escapeHtml(found[i])}</b>${numbers(finders[i])}`;
    };
    return textHtml(chunk, word, shown);
  });
  const left =
    'align="left" valign="top" style="text-align:left;vertical-align:top;white-space:normal;line-height:1.7"';
  const heads = matches.map(({ name, score }) => `<th ${left}>${escapeHtml(name)}: ${score.toFixed(3)}</th>`);
  const html =
    '<div class="matched-words" style="position:relative"><table style="width:100%;table-layout:fixed"><thead>' +
    `<tr><th colspan="${models.length}" ${left}>${questionHtml}</th></tr><tr>${heads.join('')}</tr></thead>` +
    `<tbody><tr>${columns.map((column) => `<td ${left}>${column}</td>`).join('')}</tr></tbody></table></div>\n` +
    `<script>(${joinOnHover.toString().replace(/\n\s+/g, '\n')})()</script>`;
  const lines = matches.map(
    ({ name, score, best }) =>
      `${name} ${score.toFixed(3)}: ${asked.map((word, i) => `${word} → ${pair(best, i)}`).join(', ')}`,
  );
  return { html, text: [question.text, ...lines].join('\n') };
}

/**
 * Shows which words of a chunk a question finds by late interaction, a column a model: the darker a word, the more it
 * adds to the score (a vector a word piece, none merged). A small number says which word of the question found it; on
 * hover or focus lines join them. What is far from any such word is left out. Texts are escaped.
 *
 * @param windows in which the models read the chunk, as in `wordEmbedder`
 */
export async function matchedWords(
  question: string,
  chunk: string,
  models: EmbeddingModel[],
  windows: { size: number },
): Promise<void> {
  const read = models.map(async (model) => {
    const wordsOfText = async (text: string, tokenizer: Tokenizer): Promise<Words> => {
      const [vectors] = await wordVectors(model, tokenizer, [text], windows.size);
      return { text, spans: wordSpans(tokenizer, text), vectors };
    };
    const { name, queryTokenizer, documentTokenizer } = model;
    const asked = await wordsOfText(question, queryTokenizer);
    return { name, question: asked, chunk: await wordsOfText(chunk, documentTokenizer) };
  });
  show(renderMatches(await Promise.all(read)));
}
