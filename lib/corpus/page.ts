// In: a document. Out: the form in which reading hands it to chunking: its pages' texts, and what could not be read.

/** One page of a document (for text, Markdown and HTML: the whole file). */
export interface Page {
  /** Path of the file, as it was given. */
  file: string;
  /** 1-based. */
  page: number;
  /** Paragraphs separated by an empty line; a table's rows one a line, their cells separated by a tab. */
  text: string;
}

/** A file, or one page of it, that could not be read, and why. */
export interface Skipped {
  file: string;
  reason: string;
}
