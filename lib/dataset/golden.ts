// Questions written by people, each with a quote that answers it, go in; a dataset comes out in which the chunks that
// hold the quote are the relevant ones, however the documents were cut.

import fs from 'node:fs';
import path from 'node:path';
import { readJson } from '../common/files';
import { questionId } from '../common/ids';
import { corpusOf, type EmbeddingDataset } from './dataset';

export interface GoldenQuestion {
  question: string;
  /** A short verbatim quote from the document that answers the question. */
  evidence: string;
  /** What kind of question it is, such as `number` or `why`. */
  type: string;
  /** The document's section that the evidence is in. */
  section: string;
}

const FIELDS = ['question', 'evidence', 'type', 'section'] as const;

/**
 * Reads a file of golden questions: a JSON list of `{question, evidence, type, section}`.
 * @throws Error that names file and entry if it has another form.
 */
export async function readGoldenQuestions(file: string): Promise<GoldenQuestion[]> {
  const list = readJson(file);
  if (!Array.isArray(list))
    throw new Error(`${file}: a list of golden questions is needed, [{question, evidence, …}].`);
  return list.map((entry, i) => {
    for (const field of FIELDS) {
      const value = entry?.[field];
      if (typeof value !== 'string' || value.trim() === '')
        throw new Error(`${file}: entry ${i} ("${entry?.question ?? ''}"): ${field} must be a text that is not empty.`);
    }
    if (comparable(entry.evidence) === '')
      throw new Error(`${file}: entry ${i} ("${entry.question}"): evidence has no letters or digits.`);
    return entry as GoldenQuestion;
  });
}

/** Golden questions of those documents that have a file of them beside them: `report.questions.json` beside `report.pdf`. */
export async function readGoldenQuestionsBeside(documents: string[]): Promise<GoldenQuestion[]> {
  const files = documents
    .map((file) => path.join(path.dirname(file), `${path.parse(file).name}.questions.json`))
    .filter((file) => fs.existsSync(file));
  return (await Promise.all(files.map(readGoldenQuestions))).flat();
}

/**
 * A dataset of golden questions. Relevant is every chunk whose letters and digits, lower-cased, hold the evidence's.
 * @returns the dataset, and the questions whose evidence is in no chunk (cut in two by a chunk's end, or misquoted).
 */
export function buildGoldenDataset(
  chunks: { id: string; text: string }[],
  goldenQuestions: GoldenQuestion[],
): { dataset: EmbeddingDataset; unmatched: GoldenQuestion[] } {
  const dataset: EmbeddingDataset = { queries: {}, corpus: corpusOf(chunks), relevantDocs: {} };
  const texts = chunks.map(({ id, text }) => ({ id, text: comparable(text) }));
  const unmatched: GoldenQuestion[] = [];
  for (const golden of goldenQuestions) {
    const evidence = comparable(golden.evidence);
    const relevant = texts.filter(({ text }) => text.includes(evidence)).map(({ id }) => id);
    if (evidence === '' || relevant.length === 0) {
      unmatched.push(golden);
      continue;
    }
    // From question and evidence alone, so that another CHUNK_SIZE keeps the ids.
    const queryId = questionId(golden.question, golden.evidence);
    dataset.queries[queryId] = golden.question;
    dataset.relevantDocs[queryId] = relevant;
  }
  return { dataset, unmatched };
}

/** Letters and digits only, lower-cased: PDF readers differ in spaces, hyphens and quotation marks. */
function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}
