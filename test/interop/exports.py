"""The datasets that exports.mjs wrote, read by datasets, sentence-transformers' trainer and BEIR.

In: the folder, in which expected.json says what they hold. Exit code 0 if they do, and if two steps could be trained on them.
"""

import json
import sys
from pathlib import Path

from beir.datasets.data_loader import GenericDataLoader
from datasets import load_dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

TINY = "test/fixtures/tiny-bert"


def main(folder):
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    queries, corpus, relevant, negatives = (expected[key] for key in ["queries", "corpus", "relevantDocs", "hardNegatives"])
    # One at a time: together, the pairs would get a column of empty negatives.
    data = {
        name: load_dataset("json", data_files=str(folder / name), cache_dir=str(folder / "cache"), split="train")
        for name in ["train.jsonl", "train.pairs.jsonl"]
    }
    rows = [tuple(row[name] for name in part.column_names) for part in data.values() for row in part]
    texts = [(id, queries[id], corpus[chunk]) for id, chunks in relevant.items() for chunk in chunks]
    triplets = [(question, chunk, corpus[other]) for id, question, chunk in texts for other in negatives.get(id, [])]
    pairs = [(question, chunk) for id, question, chunk in texts if id not in negatives]
    assert rows == triplets + pairs, "train.jsonl does not hold the dataset's rows"
    model = SentenceTransformer(TINY, device="cpu")
    settings = {"max_steps": 2, "per_device_train_batch_size": 4, "save_strategy": "no", "report_to": []}
    arguments = SentenceTransformerTrainingArguments(output_dir=str(folder / "trained"), use_cpu=True, **settings)
    loss = MultipleNegativesRankingLoss(model)
    steps = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=loss).train().global_step
    found_corpus, found_queries, found_relevant = GenericDataLoader(str(folder / "beir")).load(split="test")
    assert {id: document["text"] for id, document in found_corpus.items()} == corpus, "corpus.jsonl is another corpus"
    assert found_queries == queries, "queries.jsonl holds other questions"
    assert found_relevant == {id: {chunk: 1 for chunk in chunks} for id, chunks in relevant.items()}, "qrels are others"
    print(f"sentence-transformers' trainer: {len(triplets)} triplets, {len(pairs)} pairs, {steps} steps. BEIR: {len(found_queries)} queries.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
