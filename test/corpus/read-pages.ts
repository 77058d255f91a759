// For tests: one document's pages, or an error that says why it cannot be read.
import { readDocuments } from 'finetune-embedding';

export async function readPages(file: string) {
  const { pages, skipped } = await readDocuments([file]);
  if (pages.length === 0) throw new Error(`${skipped[0].file} ${skipped[0].reason}`);
  return pages;
}
