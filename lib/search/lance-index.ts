// In: documents and their windows' vectors, then a question's. Out: what it finds, from a LanceDB table on disk.
import type { Table } from '@lancedb/lancedb';
import { type Embeddings, type Matrix, normalizedRows, rowOf } from '../common/matrix';
import { documentScores, WINDOW_TEMPERATURE } from '../evaluate/document-scores';
import { bestDocuments, checkTopK, type RankedDocument } from '../evaluate/rankings';

/** A document that a question found. */
export interface FoundDocument extends RankedDocument {
  text: string;
  /** The number, from 0, of the window that fits the question best. */
  window: number;
}

const TABLE = 'windows';
/** From so many vectors on, a search reads the clusters near to a question, instead of all vectors. */
const CLUSTERED_FROM = 100_000;
/** Clusters read a question, of about √vectors (`npm run bench -- index` measures what they miss). */
const CLUSTERS_READ = 40;
/** Windows taken for each document asked for, before the documents they belong to are scored. */
const WINDOWS_PER_RESULT = 40;

/**
 * An index of documents in a folder or in an object store, for more of them than memory holds: a LanceDB table with a
 * row a window. A search finds the windows nearest to a question, then scores their documents by all windows these
 * have, as evaluate does (`documentScores`). Up to 100,000 vectors its results are exactly evaluate's; beyond, once
 * `optimize` has run, they come from the nearest clusters of vectors (IVF-PQ: Jégou et al. 2011, "Product quantization
 * for nearest neighbor search", section 4), which miss a few.
 *
 * It searches by vectors alone. BM25 over a large corpus is a search engine's task: `reciprocalRankFusion` joins its
 * ranking and this one.
 */
export class LanceIndex {
  private clustered = false;

  private constructor(
    private readonly db: import('@lancedb/lancedb').Connection,
    private table: Table | undefined,
    private readonly temperature: number,
  ) {}

  /**
   * Opens an index; it comes into being with the first documents.
   *
   * @param uri a folder, or a place such as `s3://bucket/folder`, with the access that LanceDB's documentation names
   * @param windowTemperature the model's: `search.windowTemperature`
   * @throws Error if the package is not installed, which has no binary for Macs with Intel processors
   */
  static async open(uri: string, windowTemperature = WINDOW_TEMPERATURE): Promise<LanceIndex> {
    const { connect } = await import('@lancedb/lancedb');
    const db = await connect(uri);
    const exists = (await db.tableNames()).includes(TABLE);
    const index = new LanceIndex(db, exists ? await db.openTable(TABLE) : undefined, windowTemperature);
    index.clustered = (await index.indexed()).includes('vector');
    return index;
  }

  /** Those of `ids` that the index has. */
  async present(ids: string[]): Promise<Set<string>> {
    const rows = await this.table
      ?.query()
      .where(`${isOneOf(ids)} AND window = 0`)
      .select(['document'])
      .toArray();
    return new Set(rows?.map(({ document }) => document));
  }

  /**
   * Adds documents: all of them, or none if the process ends before. Several processes may add at the same time.
   * @param documents ids, which must be new to the index, and texts
   * @param embeddings of these texts, each with a vector or more
   */
  async add(documents: [id: string, text: string][], { vectors, owners }: Embeddings): Promise<void> {
    const unit = normalizedRows(vectors);
    let first = 0;
    const rows = Array.from(owners, (owner, row) => {
      if (owner !== owners[first]) first = row;
      const [document, text] = documents[owner];
      return { document, window: row - first, text: row === first ? text : '', vector: rowOf(unit, row) };
    });
    if (!this.table) {
      const { makeArrowTable } = await import('@lancedb/lancedb');
      this.table = await this.db.createEmptyTable(TABLE, makeArrowTable(rows).schema, { existOk: true });
    }
    await this.table.add(rows);
  }

  /** Readies the index for questions once documents were added: joins small files, sorts rows by id and cluster. */
  async optimize(): Promise<void> {
    if (!this.table) return;
    const { Index } = await import('@lancedb/lancedb');
    await this.table.optimize({ cleanupOlderThan: new Date() });
    const indexed = await this.indexed();
    if (!indexed.includes('document')) await this.table.createIndex('document', { config: Index.btree() });
    if (!indexed.includes('vector') && (await this.table.countRows()) >= CLUSTERED_FROM) {
      await this.table.createIndex('vector', { config: Index.ivfPq() });
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
    if (!this.table) return [];
    const { data: asked } = normalizedRows(question);
    for (let count = WINDOWS_PER_RESULT * topK; ; count *= 4) {
      const query = this.table.vectorSearch(asked).select(['document', '_distance']).limit(count);
      const near = await (exact ? query.bypassVectorIndex() : query.nprobes(CLUSTERS_READ)).toArray();
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
    const rows = await this.table!.query().where(isOneOf(ids)).select(['document', 'window', 'vector']).toArrow();
    const place = new Map(ids.map((id, i) => [id, i]));
    const owners = Array.from(rows.getChild('document')!, (id: string) => place.get(id)!);
    const windows: number[] = [...rows.getChild('window')!];
    const data: Float32Array = rows.getChild('vector')!.getChildAt(0)!.toArray();
    const vectors = { data, rows: rows.numRows, columns: asked.length };
    const cosines = owners.map((_, row) => rowOf(vectors, row).reduce((sum, value, i) => sum + value * asked[i], 0));
    const best = bestDocuments(ids, documentScores(cosines, owners, ids.length, this.temperature), topK);
    const firsts = this.table!.query().where(`${isOneOf(best.map(({ id }) => id))} AND window = 0`);
    const texts = new Map((await firsts.select(['document', 'text']).toArray()).map((row) => [row.document, row.text]));
    const window = new Map<string, number>(); // of each document, the one of the highest cosine
    for (const row of [...cosines.keys()].sort((a, b) => cosines[a] - cosines[b]))
      window.set(ids[owners[row]], windows[row]);
    return best.map(({ id, score }) => ({ id, score, text: texts.get(id), window: window.get(id)! }));
  }

  private async indexed(): Promise<string[]> {
    return (await this.table?.listIndices())?.flatMap(({ columns }) => columns) ?? [];
  }
}

const isOneOf = (ids: string[]) => `document IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')})`;
