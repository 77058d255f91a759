// In: numbers, and the vectors of texts. Out: what the stages pass to each other instead of tensors.

/** A row-major matrix, usually of 32-bit floats; row `i` is `data.subarray(i * columns, (i + 1) * columns)`. */
export interface Matrix<Numbers extends Float32Array | Int8Array = Float32Array> {
  data: Numbers;
  rows: number;
  columns: number;
}

/** A row, as a view. */
export const rowOf = <Numbers extends Float32Array | Int8Array>({ data, columns }: Matrix<Numbers>, row: number) =>
  data.subarray(row * columns, (row + 1) * columns) as Numbers;

/** Consecutive rows, as a view. */
export const rowsOf = <Numbers extends Float32Array | Int8Array>(
  { data, columns }: Matrix<Numbers>,
  first: number,
  end: number,
): Matrix<Numbers> => ({
  data: data.subarray(first * columns, end * columns) as Numbers,
  rows: end - first,
  columns,
});

/** Frees numbers that nobody looks at any more: V8 lets 64 MB and more of them pile up. */
export function release({ buffer }: Float32Array): void {
  (buffer as ArrayBuffer).transfer(0);
}

/** Matrices under each other. */
export function stacked<Numbers extends Float32Array | Int8Array>(
  parts: Matrix<Numbers>[],
  Numbers: new (length: number) => Numbers,
): Matrix<Numbers> {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const columns = parts[0]?.columns ?? 0;
  const data = new Numbers(rows * columns);
  let start = 0;
  for (const part of parts) {
    data.set(part.data, start);
    start += part.data.length;
  }
  return { data, rows, columns };
}

/** Each row's length; of a row of zeros 1e-12, as in PyTorch's `normalize`. */
export function rowLengths({ data, rows, columns }: Matrix<Float32Array | Int8Array>): Float64Array {
  const lengths = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) squares += data[i] * data[i];
    lengths[row] = Math.max(Math.sqrt(squares), 1e-12);
  }
  return lengths;
}

/** Rows scaled to length 1; a row of zeros stays zero. */
export function normalizedRows(matrix: Matrix<Float32Array | Int8Array>): Matrix {
  const { data, rows, columns } = matrix;
  const scaled = new Float32Array(data);
  rowLengths(matrix).forEach((length, row) => {
    for (let i = row * columns; i < (row + 1) * columns; i++) scaled[i] /= length;
  });
  return { data: scaled, rows, columns };
}

/** Rows in a quarter of the memory: a row's largest number becomes `most`. Directions stay, lengths are lost. */
export function int8Rows(matrix: Matrix, most = 127): Matrix<Int8Array> {
  const { rows, columns } = matrix;
  const data = new Int8Array(rows * columns);
  largestOfRows(matrix).forEach((largest, row) => {
    // By index: over 22 million weights several times quicker than by functions.
    for (let i = row * columns; i < (row + 1) * columns; i++) data[i] = Math.round((matrix.data[i] / largest) * most);
  });
  return { data, rows, columns };
}

/** Each row's largest number, whatever its sign; 1 for a row of zeros. */
export function largestOfRows({ data, rows, columns }: Matrix): Float32Array {
  const largest = new Float32Array(rows);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / columns);
    largest[row] = Math.max(largest[row], Math.abs(data[i]));
  }
  return largest.map((value) => value || 1);
}

/**
 * The vectors of a list of texts, one or more a text (windows of a long chunk, word pieces); int8 where only their
 * directions are kept.
 * `owners[i]` is the index of the text that vector (row) `i` belongs to; ascending, every text present.
 */
export interface Embeddings {
  vectors: Matrix<Float32Array | Int8Array>;
  owners: Int32Array;
  /** Each vector's length, where a search goes on question by question: else each would copy all vectors, scaled. */
  lengths?: Float64Array;
  /** What is taken off each document's score, as it is near to whatever is asked; absent: nothing. */
  hubness?: Float64Array;
}

/** The vectors of questions: a row a question or, with `owners`, one a word piece, as in {@link Embeddings}. */
export interface QueryVectors extends Matrix {
  owners?: Int32Array;
}

/** Called as work proceeds: `done` of `total` units. */
export type OnProgress = (done: number, total: number) => void;

/** Whatever turns texts into vectors: a local encoder, OpenAI's API, … */
export interface Embedder {
  /** Name shown in tables and figures, such as `base` or `text-embedding-3-small`. */
  readonly name: string;
  /** One vector a question, `[queries, dimensions]`, or several: `[word pieces, dimensions]` and their `owners`. */
  embedQueries(texts: string[], onProgress?: OnProgress): Promise<QueryVectors>;
  /** One or more vectors a document. */
  embedDocuments(texts: string[], onProgress?: OnProgress): Promise<Embeddings>;
}
