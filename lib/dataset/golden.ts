// In: questions written by people, each with a quote that answers it. Out: a dataset in which the chunks that hold the
// quote are the relevant ones, however the documents were cut.
import fs from 'node:fs';
import path from 'node:path';
import { readJson } from '../common/files';
import { questionId } from '../common/ids';
import { normalise } from '../common/text/terms';
import { expandPattern } from '../corpus/read';
import { corpusOf, type EmbeddingDataset } from './dataset';

const STYLES = ['question', 'keywords', 'claim', 'two places'] as const;

export interface GoldenQuestion {
  question: string;
  /** A verbatim quote from the document that answers the question; several where the answer is in several places. */
  evidence: string | string[];
  /** What kind of question it is, such as `number` or `why`. */
  type: string;
  /** The document's section that the evidence is in. */
  section: string;
  /** How it is asked: in a sentence, in keywords, as a claim to check, or about two places of the document at once. */
  style?: (typeof STYLES)[number];
}

/**
 * Reads a file of golden questions: a JSON list of `{question, evidence, type, section}`, and `style` if it is known.
 * @throws Error that names file and entry if it has another form.
 */
export async function readGoldenQuestions(file: string): Promise<GoldenQuestion[]> {
  const list = readJson(file);
  if (!Array.isArray(list))
    throw new Error(`${file}: a list of golden questions is needed, [{question, evidence, …}].`);
  list.forEach((entry, i) => {
    const problem = problemOf(entry);
    if (problem) throw new Error(`${file}: entry ${i} ("${entry?.question ?? ''}"): ${problem}.`);
  });
  return list;
}

function problemOf(entry: Partial<GoldenQuestion> | undefined): string | undefined {
  const isText = (value: unknown) => typeof value === 'string' && value.trim() !== '';
  for (const field of ['question', 'evidence', 'type', 'section'] as const) {
    const value = entry?.[field];
    const isList = field === 'evidence' && Array.isArray(value) && value.length > 0 && value.every(isText);
    if (!isText(value) && !isList)
      return `${field} must be a text that is not empty${field === 'evidence' ? ', or a list of them' : ''}`;
  }
  if (quotesOf(entry as GoldenQuestion).includes('')) return 'evidence has no letters or digits';
  const style = entry?.style;
  if (style !== undefined && !STYLES.includes(style)) return `style must be one of ${STYLES.join(', ')}, or left out`;
}

/**
 * Golden questions of the documents that have a file of them beside them: `report.questions.json` and `report.pdf`.
 * @param documents files, folders and globs, as `readDocuments` takes them; a file may be missing itself
 */
export async function readGoldenQuestionsBeside(documents: string[]): Promise<GoldenQuestion[]> {
  const found = await Promise.all(
    documents.map(async (pattern) => [...(await expandPattern(pattern)), pattern].map(questionsBeside)),
  );
  const files = [...new Set(found.flat())].filter((file) => fs.existsSync(file));
  return (await Promise.all(files.map(readGoldenQuestions))).flat();
}

const questionsBeside = (file: string) => path.resolve(path.dirname(file), `${path.parse(file).name}.questions.json`);

/**
 * A dataset of golden questions. Relevant is every chunk whose letters and digits, lower-cased, hold those of the
 * evidence; where the evidence is in several places, every chunk that holds one of them.
 * @returns the dataset, and the questions with evidence that is in no chunk (cut in two by a chunk's end, or wrong).
 */
export function buildGoldenDataset(chunks: { id: string; text: string }[], goldenQuestions: GoldenQuestion[]) {
  const dataset: EmbeddingDataset = { queries: {}, corpus: corpusOf(chunks), relevantDocs: {} };
  const texts = chunks.map(({ id, text }) => ({ id, text: comparable(text) }));
  const unmatched: GoldenQuestion[] = [];
  for (const golden of goldenQuestions) {
    const quotes = quotesOf(golden);
    if (!quotes.every((quote) => quote !== '' && texts.some(({ text }) => text.includes(quote)))) {
      unmatched.push(golden);
      continue;
    }
    // From question and evidence alone, so that another CHUNK_SIZE keeps the ids.
    const queryId = questionId(golden.question, ...[golden.evidence].flat());
    dataset.queries[queryId] = golden.question;
    dataset.relevantDocs[queryId] = texts
      .filter(({ text }) => quotes.some((quote) => text.includes(quote)))
      .map(({ id }) => id);
  }
  return { dataset, unmatched };
}

const quotesOf = ({ evidence }: GoldenQuestion): string[] => [evidence].flat().map(comparable);

/** Letters and digits only, lower-cased: PDF readers differ in spaces, hyphens and quotation marks. */
function comparable(text: string): string {
  return normalise(text).replace(/[^\p{L}\p{N}]+/gu, '');
}
