// In: pages. Out: chunks, the passages that questions are asked about and that a search returns.
import path from 'node:path';
import { groupsWithin } from '../common/groups';
import { chunkId } from '../common/ids';
import { countTokens } from '../common/text/gpt-tokens';
import { splitSentences, splitWords } from '../common/text/sentences';
import type { Page } from './pages';
import { inThread } from './thread';

/** A part of a page. */
export interface Chunk extends Page {
  /** UUID made from file name, page and text: the same on every run. */
  id: string;
  /** GPT-2 tokens of `text`. */
  tokens: number;
}

export interface ChunkSettings {
  /** Most GPT-2 tokens in a chunk, the label of its page (about 17 tokens) counted in; default 1024. */
  chunkSize?: number;
  /** Most GPT-2 tokens that a chunk repeats of the one before it, in whole words; default 20. */
  chunkOverlap?: number;
}

const MIN_CHUNK_SIZE = 64;
/** Fewer, some fifteen words, make no passage that answers anything. */
const MIN_LETTERS = 60;

const unitOf = (text: string) => ({ text, tokens: countTokens(text) });
type Unit = ReturnType<typeof unitOf>;

const textOf = (units: Unit[]) => units.reduce((all, { text }) => all + text, '');
const tokensIn = (units: Unit[]) => units.reduce((sum, { tokens }) => sum + tokens, 0);

/** Joins small units up to `size` tokens each. */
const pack = (units: Unit[], size: number): Unit[] =>
  groupsWithin(units, ({ tokens }) => tokens, Number.POSITIVE_INFINITY, size).map((group) => ({
    text: textOf(group),
    tokens: tokensIn(group),
  }));

/** Sentences; one longer than a chunk is cut between words, and a word longer than a chunk between characters. */
function* splitUnits(text: string, size: number): Generator<Unit> {
  for (const sentence of splitSentences(text)) {
    const unit = unitOf(sentence);
    if (unit.tokens <= size) yield unit;
    else {
      const words = splitWords(sentence)
        .map(unitOf)
        .flatMap((word) => (word.tokens <= size ? [word] : pack([...word.text].map(unitOf), size)));
      yield* pack(words, size);
    }
  }
}

/** The last sentences of a chunk that fit into `overlap` tokens; where not even one does, its last words. */
function tail(units: Unit[], overlap: number): Unit[] {
  const lastOnes = (parts: Unit[]) => {
    let start = parts.length;
    for (let tokens = 0; start > 0 && tokens + parts[start - 1].tokens <= overlap; start--)
      tokens += parts[start - 1].tokens;
    return parts.slice(start);
  };
  const sentences = lastOnes(units);
  return sentences.length > 0 ? sentences : lastOnes(splitWords(units[units.length - 1].text).map(unitOf));
}

function chunkTexts(text: string, size: number, overlap: number, onChunk: () => void): string[] {
  const chunks: Unit[][] = [];
  let current: Unit[] = [];
  let tokens = 0;
  for (const unit of splitUnits(text, size)) {
    if (current.length > 0 && tokens + unit.tokens > size) {
      chunks.push(current);
      onChunk();
      current = tail(current, Math.min(overlap, size - unit.tokens));
      tokens = tokensIn(current);
    }
    current.push(unit);
    tokens += unit.tokens;
  }
  if (current.length > 0) chunks.push(current);
  return chunks.map((units) => textOf(units).trim()).filter(Boolean);
}

/** LlamaIndex counts the page's label in (SentenceSplitter.split_text_metadata_aware): of 1024 tokens 1007 are left. */
function textSize(chunkSize: number, file: string, page: number): number {
  const label = countTokens(`page_label: ${page}\nfile_name: ${path.basename(file)}`);
  return chunkSize - Math.min(label, Math.floor(chunkSize / 2));
}

/**
 * Cuts pages into chunks at the ends of sentences, as LlamaIndex's SentenceSplitter does: as many whole sentences as
 * fit, each counted on its own with the space after it, and the next chunk repeats the last ones of up to
 * `chunkOverlap` tokens. A chunk never spans two pages, so that it can name its page; pages without text give none.
 * @param onChunk called once a chunk is full, as a sign of life
 * @returns Chunks in the order of the pages. Two equal passages get different ids.
 */
export function cutPages(pages: Page[], { chunkSize, chunkOverlap }: Required<ChunkSettings>, onChunk = () => {}) {
  const seen = new Map<string, number>();
  return pages.flatMap(({ file, page, text }): Chunk[] => {
    return chunkTexts(text, textSize(chunkSize, file, page), chunkOverlap, onChunk).map((chunk) => {
      const name = JSON.stringify([path.basename(file), page, chunk]);
      const repeat = seen.get(name) ?? 0;
      seen.set(name, repeat + 1);
      return { id: chunkId(`${name}${repeat}`), text: chunk, file, page, tokens: countTokens(chunk) };
    });
  });
}

/**
 * {@link cutPages} in a thread, so that Jupyter's stop button ends it.
 * @throws Error naming CHUNK_SIZE or CHUNK_OVERLAP if one is out of range, or the files if they hold too little text.
 */
export async function chunkPages(pages: Page[], settings: ChunkSettings = {}): Promise<Chunk[]> {
  const { chunkSize = 1024, chunkOverlap = 20 } = settings;
  if (!Number.isInteger(chunkSize) || chunkSize < MIN_CHUNK_SIZE)
    throw new Error(`CHUNK_SIZE is ${chunkSize}; set it to a whole number of tokens, ${MIN_CHUNK_SIZE} or more.`);
  if (!Number.isInteger(chunkOverlap) || chunkOverlap < 0 || chunkOverlap >= chunkSize)
    throw new Error(
      `CHUNK_OVERLAP is ${chunkOverlap}; set it to a whole number of tokens, 0 or more and less than CHUNK_SIZE ` +
        `(${chunkSize}).`,
    );
  if (pages.length === 0) return [];
  const letters = pages.map(({ text }) => text.slice(0, 10_000).replace(/\P{L}+/gu, '').length);
  if (letters.reduce((sum, count) => sum + count) < MIN_LETTERS)
    throw new Error(
      `${[...new Set(pages.map(({ file }) => file))].join(', ')}: fewer than ${MIN_LETTERS} letters of text, too few to ` +
        'ask a question about. Take documents that hold a paragraph or more: set TRAIN_FILES, VAL_FILES or TEST_FILES.',
    );
  return inThread({ pages, settings: { chunkSize, chunkOverlap } });
}
