"""Writes test/evaluate/fixtures/ir_*.json: random vectors, and what sentence-transformers makes of them.

Run in any environment with sentence-transformers (6.2.0 wrote the committed files):
    python test/interop/make_ir_fixtures.py
"""

import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.util import cos_sim, dot_score

FIXTURES = Path(__file__).resolve().parent.parent / "evaluate" / "fixtures"


class Lookup:
    """Stands in for a model: a text is the index of its vector."""

    def __init__(self, queries, documents):
        self.queries, self.documents = queries, documents
        self.model_card_data = SimpleNamespace(set_evaluation_metrics=lambda *_: None)

    def encode_query(self, texts, **_):
        return self.queries[[int(text) for text in texts]]

    def encode_document(self, texts, **_):
        return self.documents[[int(text) for text in texts]]


def make(name, seed, queries, documents, dimensions, relevant_counts, duplicates):
    """`duplicates` pairs (copy, source) of documents get the same vector, hence exact ties."""
    random = np.random.default_rng(seed)
    query_vectors = random.standard_normal((queries, dimensions)).round(3)
    document_vectors = random.standard_normal((documents, dimensions)).round(3)
    for copy, source in duplicates:
        document_vectors[copy] = document_vectors[source]
    # Ids in an order unlike the corpus order, so that a tie broken by position shows.
    document_ids = [f"doc-{i:03d}" for i in random.permutation(documents)]
    relevant_docs = {}
    for query in range(queries):
        count = relevant_counts[query % len(relevant_counts)]
        if count:
            relevant_docs[f"query-{query}"] = [
                document_ids[i] for i in random.choice(documents, count, replace=False)
            ]
    tensors = [torch.tensor(v, dtype=torch.float32) for v in (query_vectors, document_vectors)]
    for score in (cos_sim, dot_score):
        scores = score(*tensors)
        for copy, source in duplicates:
            assert torch.equal(scores[:, copy], scores[:, source]), "duplicates must tie exactly"
        gaps = scores.sort(dim=1).values.diff(dim=1)
        assert gaps[gaps > 0].min() > 1e-6, "a near tie would hang on the order of additions: take another seed"
    evaluator = InformationRetrievalEvaluator(
        {f"query-{i}": str(i) for i in range(queries)},
        {id: str(i) for i, id in enumerate(document_ids)},
        {query: set(ids) for query, ids in relevant_docs.items()},
        name=name,
        score_functions={"cosine": cos_sim, "dot": dot_score},
        write_predictions=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        for epoch, steps in ((-1, -1), (1, 50)):
            evaluator(Lookup(*tensors), output_path=folder, epoch=epoch, steps=steps)
        csv = (Path(folder) / evaluator.csv_file).read_text()
        rankings = {
            score: {
                row["query_id"]: [hit["corpus_id"] for hit in row["results"]]
                for row in map(
                    json.loads,
                    (Path(folder) / evaluator.predictions_file.replace(".jsonl", f"_{score}.jsonl"))
                    .read_text()
                    .splitlines(),
                )
            }
            for score in ("cosine", "dot")
        }
    fixture = {
        "queryVectors": query_vectors.tolist(),
        "documentVectors": document_vectors.tolist(),
        "documentIds": document_ids,
        "relevantDocs": relevant_docs,
        "csvFile": evaluator.csv_file,
        "csv": csv,
        "rankings": rankings,
    }
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / f"ir_{name}.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    print(name, csv.splitlines()[1])


if __name__ == "__main__":
    make("plain", 1, 12, 20, 4, [1], [])
    make("several_relevant", 2, 10, 130, 4, [3, 1, 12, 0, 120], [])
    make("ties", 3, 10, 115, 4, [1, 2], [(i, i % 5) for i in range(20, 115)])
    make("few_documents", 4, 6, 4, 4, [1, 2], [(3, 1)])
