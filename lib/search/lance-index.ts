// In: documents and their windows' vectors, then a question's. Out: what it finds, from a LanceDB table on disk.
import type { Table } from '@lancedb/lancedb';
import pRetry from 'p-retry';
import { withLock } from '../common/lock';
import { type Embeddings, type Matrix, normalizedRows, rowOf } from '../common/matrix';
import { rowProducts } from '../common/products';
import { bestDocuments, checkNumbers, checkTopK, type RankedDocument } from '../evaluate/rankings';
import { documentScores, WINDOW_TEMPERATURE } from '../evaluate/vector-scores';

/** A document that a question found. */
export interface FoundDocument extends RankedDocument {
  text: string;
  /** The number, from 0, of the window that fits the question best. */
  window: number;
}

const TABLE = 'windows';
/** From so many vectors on, a search reads the clusters near to a question, instead of all vectors. */
const CLUSTERED_FROM = 100_000;
/** Clusters read a question, of about √vectors: `npm run bench -- index` measures what they miss. */
const CLUSTERS_READ = 100;
/** So many times more windows are compared by bits, then by the numbers themselves. */
const REFINE = 5;
/** Windows taken for each document asked for, before the documents they belong to are scored. */
const WINDOWS_PER_RESULT = 40;

/**
 * An index of documents in a folder or in an object store, for more of them than memory holds: a LanceDB table with a
 * row a window. A search finds the windows nearest to a question, then scores their documents by all windows these
 * have, as evaluate does (`documentScores`). Up to 100,000 vectors its results are exactly evaluate's; beyond, once
 * `optimize` has run, they come from the nearest clusters of vectors kept as bits (RaBitQ: Gao & Long 2024, "RaBitQ:
 * Quantizing High-Dimensional Vectors with a Theoretical Error Bound"), which may miss one.
 *
 * It searches by vectors alone. BM25 over a large corpus is a search engine's task: `reciprocalRankFusion` joins its
 * ranking and this one.
 */
export class LanceIndex {
  private clustered = false;

  private constructor(
    private readonly db: import('@lancedb/lancedb').Connection,
    private readonly uri: string,
    private table: Table | undefined,
    private readonly temperature: number,
  ) {}

  /**
   * Opens an index, as it is now: others' later additions show when it is opened again. It comes into being with the
   * first documents.
   *
   * @param uri a folder, or a place such as `s3://bucket/folder`, with the access that LanceDB's documentation names
   * @param windowTemperature the model's: `search.windowTemperature`
   * @throws Error if the package is not installed, which has no binary for Macs with Intel processors
   */
  static async open(uri: string, windowTemperature = WINDOW_TEMPERATURE): Promise<LanceIndex> {
    const { connect } = await import('@lancedb/lancedb');
    const db = await connect(uri);
    const exists = (await db.tableNames()).includes(TABLE);
    const index = new LanceIndex(db, uri, exists ? await db.openTable(TABLE) : undefined, windowTemperature);
    index.clustered = (await index.indexed()).includes('vector');
    return index;
  }

  /** Those of `ids` that the index has. */
  async present(ids: string[]): Promise<Set<string>> {
    if (!this.table || ids.length === 0) return new Set();
    const rows = await this.table
      .query()
      .where(`${isOneOf(ids)} AND window = 0`)
      .select(['document'])
      .toArray();
    return new Set(rows.map(({ document }) => document));
  }

  /**
   * Adds documents: all of them, or none if the process ends before. Several processes may add at the same time, but
   * in an object store to an index that has documents.
   * @param documents ids, which must be new to the index, and texts
   * @param embeddings of these texts, each with a vector or more
   * @throws Error if a vector holds NaN or infinity, or has other dimensions than the index's
   */
  async add(documents: [id: string, text: string][], { vectors, owners }: Embeddings): Promise<void> {
    checkNumbers(vectors, (row) => `A vector of document "${documents[owners[row]][0]}"`);
    const unit = normalizedRows(vectors);
    let first = 0;
    const rows = Array.from(owners, (owner, row) => {
      if (owner !== owners[first]) first = row;
      const [document, text] = documents[owner];
      return { document, window: row - first, text: row === first ? text : '', vector: rowOf(unit, row) };
    });
    this.table ??= await this.makeTable(rows);
    const dimensions = (await this.table.schema()).fields.find(({ name }) => name === 'vector')!.type.listSize;
    if (dimensions !== unit.columns) {
      throw new Error(
        `Vectors have ${unit.columns} dimensions, the index's ${dimensions}: take the model it was made with.`,
      );
    }
    await this.table.add(rows);
  }

  /** Makes the table, unless it is there by now: of two made at once, one would be lost with what was added to it. */
  private async makeTable(rows: Record<string, unknown>[]): Promise<Table> {
    const { makeArrowTable } = await import('@lancedb/lancedb');
    const { schema } = makeArrowTable(rows);
    const make = () => this.db.createEmptyTable(TABLE, schema, { existOk: true });
    if (this.uri.includes('://')) return make();
    return pRetry(() => withLock(this.uri, make), { retries: 100, factor: 1, minTimeout: 50 });
  }

  /**
   * Readies the index for questions once documents were added: joins small files, sorts rows by id and cluster. One
   * process at a time; for those that have the index open, what it replaces stays on disk for seven days.
   */
  async optimize(): Promise<void> {
    if (!this.table) return;
    const { Index } = await import('@lancedb/lancedb');
    await this.table.optimize();
    const indexed = await this.indexed();
    if (!indexed.includes('document')) await this.table.createIndex('document', { config: Index.btree() });
    if (!indexed.includes('vector') && (await this.table.countRows()) >= CLUSTERED_FROM) {
      await this.table.createIndex('vector', { config: Index.ivfRq() });
      this.clustered = true;
    }
  }

  /**
   * The best documents for a question, best first.
   * @param question `[1, dimensions]`, of the model that embedded the documents
   * @param exact read every vector, however many there are
   */
  async search(question: Matrix, topK = 5, exact = !this.clustered): Promise<FoundDocument[]> {
    checkTopK(topK);
    checkNumbers(question, () => 'The vector of the question');
    const rows = (await this.table?.countRows()) ?? 0;
    if (rows === 0) return [];
    const { data: asked } = normalizedRows(question);
    for (let count = WINDOWS_PER_RESULT * topK; ; count *= 4) {
      const query = this.table!.vectorSearch(asked).select(['document', '_distance']).limit(Math.min(count, rows));
      const near = await (exact
        ? query.bypassVectorIndex()
        : query.nprobes(CLUSTERS_READ).refineFactor(REFINE)
      ).toArray();
      const found = await this.score(asked, [...new Set<string>(near.map(({ document }) => document))], topK);
      // A document's score is at most its best window's cosine, of unit vectors 1 − distance² / 2: one with no window
      // among these can't come before a document whose score is above all of theirs.
      const farthest = 1 - near.at(-1)?._distance / 2;
      const full = found.length === topK && (!exact || found[topK - 1].score > farthest);
      if (full || near.length < count) return found;
    }
  }

  /** The best of these documents, scored by all their windows. */
  private async score(asked: Float32Array, ids: string[], topK: number): Promise<FoundDocument[]> {
    if (ids.length === 0) return [];
    const rows = await this.table!.query()
      .where(isOneOf(ids))
      .select(['document', 'window', 'text', 'vector'])
      .toArrow();
    const [documents, windows, texts, vectors] = rows.schema.names.map((name) => rows.getChild(name)!);
    const matrix = { data: vectors.getChildAt(0)!.toArray(), rows: rows.numRows, columns: asked.length };
    const place = new Map(ids.map((id, i) => [id, i]));
    const owners = Array.from(documents, (id: string) => place.get(id)!);
    const cosines = rowProducts({ data: asked, rows: 1, columns: asked.length }, matrix);
    const scores = documentScores(cosines, owners, ids.length, this.temperature);
    return bestDocuments(ids, scores, topK).map(({ id, score }) => {
      const own = [...owners.keys()].filter((row) => ids[owners[row]] === id);
      const nearest = own.reduce((best, row) => (cosines[row] > cosines[best] ? row : best));
      const first = own.find((row) => windows.get(row) === 0)!;
      return { id, score, text: texts.get(first), window: windows.get(nearest) };
    });
  }

  private async indexed(): Promise<string[]> {
    return (await this.table?.listIndices())?.flatMap(({ columns }) => columns) ?? [];
  }
}

const isOneOf = (ids: string[]) => `document IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')})`;
