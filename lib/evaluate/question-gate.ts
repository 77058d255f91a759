// In: generated questions and their chunks. Out: those worth training on; and each other one, with why it was dropped.
import type { Embeddings, Matrix } from '../common/matrix';
import type { EmbeddingModel } from '../model/embedding-model';
import type { GenerationResult, SourceChunk } from '../questions/generator';
import { type Fault, faultOf } from '../questions/rules';
import { BM25_WINDOWS, Bm25Index } from './bm25-index';
import { type EvaluationResult, evaluateRanking } from './evaluation';
import { linearFusion } from './fusion';
import { type Rankings, rankByVectors } from './rankings';
import { fitWindows, windowedEmbedder } from './windowed-embedder';

/** Questions of this cosine say the same. */
const SAME = 0.9;
/** So many nearest questions are looked at. */
const NEIGHBOURS = 50;
/** Questions ranked at once: rankings of all chunks for all questions would not fit a large corpus' memory. */
const BLOCK = 500;

/** A question that is not trained on. */
export interface DroppedQuestion extends Fault {
  chunkId: string;
  question: string;
}

type Asked = Pick<DroppedQuestion, 'chunkId' | 'question'>;

/** What the gate let through. */
export interface GatedQuestions extends GenerationResult {
  dropped: DroppedQuestion[];
  /** Where each question's own chunk came out, before the round trip dropped any; undefined if there was none. */
  roundTrip?: EvaluationResult;
}

/**
 * A gate for the questions about a corpus, from any generator. It drops what `faultOf` finds at a glance; questions
 * that say the same as an earlier one of any chunk (cosine of 0.9 or more, the same numbers and names); and those whose
 * chunk the model, with windows and keywords, does not find among the first `roundTripTop`: vague ones, that fit many
 * chunks (round-trip consistency: Alberti et al. 2019; Dai et al. 2022, Promptagator, section 3.2).
 * @param roundTripTop 0, the default, keeps all.
 * @param model An untrained one; it embeds the chunks once, when they are first needed.
 */
export function createQuestionGate(model: EmbeddingModel, chunks: SourceChunk[], { roundTripTop = 0 } = {}) {
  const corpus = Object.fromEntries(chunks.map(({ id, text }) => [id, text]));
  const embedder = windowedEmbedder(model, fitWindows(model));
  let index: { documents: Embeddings; keywords: Bm25Index } | undefined;

  const placesOf = async (asked: Asked[], vectors: Matrix): Promise<EvaluationResult> => {
    index ??= {
      documents: await embedder.embedDocuments(Object.values(corpus)),
      keywords: new Bm25Index(corpus, { windows: BM25_WINDOWS }),
    };
    const dataset = {
      queries: Object.fromEntries(asked.map(({ question }, i) => [i, question])),
      corpus,
      relevantDocs: Object.fromEntries(asked.map(({ chunkId }, i) => [i, [chunkId]])),
    };
    const topK = Number.POSITIVE_INFINITY;
    const texts = Object.values(dataset.queries);
    const { columns } = vectors;
    const rankings: Rankings = [];
    for (let first = 0; first < texts.length; first += BLOCK) {
      const queries = texts.slice(first, first + BLOCK);
      const data = vectors.data.subarray(first * columns, (first + queries.length) * columns);
      const own = { data, rows: queries.length, columns };
      const byModel = rankByVectors(own, index.documents, Object.keys(corpus), { topK });
      rankings.push(...linearFusion([byModel], { bm25: index.keywords.rank(queries, topK) }));
    }
    const name = `${embedder.name} + BM25 by score`;
    return evaluateRanking(rankings, dataset, { name, topK: 10 });
  };

  return async (result: GenerationResult): Promise<GatedQuestions> => {
    const dropped: DroppedQuestion[] = [];
    /** Those without a fault; the others are dropped for theirs. */
    const without = (asked: Asked[], faults: (Fault | undefined)[]): Asked[] =>
      asked.filter((one, i) => {
        const fault = faults[i];
        if (fault) dropped.push({ ...one, ...fault });
        return !fault;
      });

    const all = [...result.questions].flatMap(([chunkId, list]) => list.map((question) => ({ chunkId, question })));
    const atAGlance = all.map(({ chunkId, question }) =>
      faultOf(question, corpus[chunkId], result.styles?.get(chunkId)),
    );
    const sound = without(all, atAGlance);
    let kept: Asked[] = [];
    let roundTrip: EvaluationResult | undefined;
    if (sound.length > 0) {
      const texts = sound.map(({ question }) => question);
      const vectors = await embedder.embedQueries(texts);
      const repeats = repeatsIn(texts, vectors);
      roundTrip = await placesOf(sound, vectors);
      const faults = roundTrip.perQuery.map(({ rank }, i): Fault | undefined => {
        const repeated = repeats[i];
        if (repeated !== undefined) return { reason: 'repeats another question', detail: repeated };
        if (!roundTripTop || (rank ?? Number.POSITIVE_INFINITY) <= roundTripTop) return undefined;
        return { reason: 'does not lead back to its chunk', detail: rank ? `place ${rank}` : 'not found' };
      });
      kept = without(sound, faults);
    }

    return { ...keepOnly({ ...result, dropped: [] }, kept, dropped), roundTrip };
  };
}

/** A result of the questions that were kept; those dropped are counted by reason. */
export function keepOnly(result: GatedQuestions, kept: Asked[], dropped: DroppedQuestion[]): GatedQuestions {
  const questions = new Map<string, string[]>([...result.questions.keys()].map((id) => [id, []]));
  for (const { chunkId, question } of kept) questions.get(chunkId)!.push(question);
  const counts = { ...result.summary.dropped };
  for (const { reason } of dropped) counts[reason] = (counts[reason] ?? 0) + 1;
  const summary = { ...result.summary, dropped: counts };
  return { ...result, questions, summary, dropped: [...result.dropped, ...dropped] };
}

/** For each text, the first earlier one that says the same and repeats none itself; undefined if there is none. */
function repeatsIn(texts: string[], vectors: Matrix): (string | undefined)[] {
  const itself = { vectors, owners: Int32Array.from(texts.keys()) };
  const nearest = rankByVectors(vectors, itself, [...texts.keys()].map(String), { topK: NEIGHBOURS });
  const marks = texts.map(marksOf);
  const repeats: (string | undefined)[] = [];
  nearest.forEach((neighbours, i) => {
    const same = neighbours
      .filter(({ score }) => score >= SAME)
      .map(({ id }) => Number(id))
      .filter((j) => j < i && repeats[j] === undefined && sameSubject(marks[i], marks[j]));
    repeats.push(same.length > 0 ? texts[Math.min(...same)] : undefined);
  });
  return repeats;
}

/** What tells apart questions whose vectors cannot: numbers, and names beyond the first word. */
function marksOf(text: string) {
  const words = text.match(/[\p{L}\p{N}]+(?:[.,]\p{N}+)*/gu) ?? [];
  return {
    numbers: new Set(words.filter((word) => /\p{N}/u.test(word))),
    names: new Set(words.slice(1).filter((word) => /^\p{Lu}/u.test(word))),
    all: new Set(words),
  };
}

/** "in 2020" and "in 2021" are two questions, and so are two that each name what the other does not. */
function sameSubject(a: ReturnType<typeof marksOf>, b: ReturnType<typeof marksOf>): boolean {
  const sameNumbers = a.numbers.symmetricDifference(b.numbers).size === 0;
  return sameNumbers && (a.names.isSubsetOf(b.all) || b.names.isSubsetOf(a.all));
}
