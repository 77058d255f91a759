// In: nothing. Out: the form that documents have once they are read, whatever they were.

/** One page of a document (for text, Markdown and HTML: the whole file). */
export interface Page {
  /** Path of the file, as it was given. */
  file: string;
  /** 1-based. */
  page: number;
  /** Paragraphs separated by an empty line; a table's rows one a line, their cells separated by a tab. */
  text: string;
}

/** What was read, and the files and pages that could not be, and why. */
export interface Documents {
  pages: Page[];
  skipped: { file: string; reason: string }[];
}
