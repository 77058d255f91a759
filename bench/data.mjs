// The texts that are measured: the original's dataset where it is, else the sample corpus.
import fs from 'node:fs';
import path from 'node:path';

const LYFT = path.resolve('../shared/data/lyft_train_dataset.json');
const SAMPLE = path.resolve('data');
const CHUNKS = 395;
const WORDS_PER_CHUNK = 700; // about the length of the original's chunks, which have 1024 GPT tokens

/** `count` items, from the start again where there are fewer. */
const cycle = (items, count) => Array.from({ length: count }, (_, i) => items[i % items.length]);

/** All words of the sample corpus's sources. */
function sampleWords() {
  const folder = path.join(SAMPLE, 'sources');
  const files = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.md'));
  return files.sort().flatMap((name) => fs.readFileSync(path.join(folder, name), 'utf8').split(/\s+/));
}

/** The sample corpus's sentences, without headings and tables. */
export const sampleSentences = () =>
  sampleWords()
    .join(' ')
    .split(/(?<=[.?!]) (?=[A-Z])/)
    .filter((sentence) => !/[|#]/.test(sentence));

function sampleQuestions() {
  const files = fs.readdirSync(SAMPLE).filter((name) => name.endsWith('.questions.json'));
  return files
    .sort()
    .flatMap((name) => JSON.parse(fs.readFileSync(path.join(SAMPLE, name), 'utf8')).map((q) => q.question));
}

/**
 * Question–chunk pairs in file order, two questions a chunk.
 *
 * @returns {{ source: string, pairs: [question: string, chunk: string][] }}
 */
export function trainingPairs() {
  if (fs.existsSync(LYFT)) {
    const { queries, corpus, relevant_docs: relevant } = JSON.parse(fs.readFileSync(LYFT, 'utf8'));
    return {
      source: path.basename(LYFT),
      pairs: Object.entries(queries).map(([id, text]) => [text, corpus[relevant[id][0]]]),
    };
  }
  const { chunks, queries } = sampleTexts();
  return { source: 'sample corpus', pairs: queries.map((question, i) => [question, chunks[Math.floor(i / 2)]]) };
}

/** Overlapping windows over the sample corpus and its golden questions. */
function sampleTexts() {
  const words = sampleWords();
  const stride = (words.length - WORDS_PER_CHUNK) / (CHUNKS - 1);
  const chunks = Array.from({ length: CHUNKS }, (_, i) => {
    const start = Math.floor(i * stride);
    return words.slice(start, start + WORDS_PER_CHUNK).join(' ');
  });
  return { chunks, queries: cycle(sampleQuestions(), 2 * CHUNKS) };
}

/**
 * As many chunks and questions as the original's validation set has.
 *
 * @returns {{ source: string, chunks: string[], queries: string[] }}
 */
export function textsToEncode() {
  if (!fs.existsSync(LYFT)) return { source: 'sample corpus', ...sampleTexts() };
  const { queries, corpus } = JSON.parse(fs.readFileSync(LYFT, 'utf8'));
  return {
    source: path.basename(LYFT),
    chunks: cycle(Object.values(corpus), CHUNKS),
    queries: cycle(Object.values(queries), 2 * CHUNKS),
  };
}
