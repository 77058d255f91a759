"""Writes test/evaluate/fixtures/words.json: word vectors of the tests' tiny BERT, pooled ones, and late-interaction scores.

Run in any environment with sentence-transformers and scipy (6.2.0 and 1.17 wrote the committed file):
    python test/interop/make_word_fixtures.py
"""

import json
from pathlib import Path

from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import HierarchicalTokenPooling, MultiVectorMask

TEST = Path(__file__).resolve().parent.parent
FACTORS = [2, 3, 6]


def main():
    special = MultiVectorMask(skiplist_words=["[CLS]", "[SEP]"], skiplist_tasks=["query", "document"])
    transformer = Transformer(str(TEST / "fixtures" / "tiny-bert"))
    modules = [transformer, special, Normalize(module_input_name="token_embeddings")]
    model = MultiVectorEncoder(modules=modules, device="cpu", similarity_fn_name="meanmaxsim")
    pairs = json.loads((TEST / "fixtures" / "engine" / "texts.json").read_text(encoding="utf-8"))["tinyPairs"]
    questions, documents = (list(texts) for texts in zip(*pairs[:5]))
    asked = model.encode_query(questions)
    found = model.encode_document(documents)
    pooled = {factor: HierarchicalTokenPooling(factor, num_protected_tokens=0).pool(found) for factor in FACTORS}
    fixture = {
        "questions": questions,
        "documents": documents,
        "words": [vectors.tolist() for vectors in asked[:2]],
        "scores": model.similarity(asked, found).tolist(),
        "pooled": {
            factor: {"vectors": [len(own) for own in vectors], "scores": model.similarity(asked, vectors).tolist()}
            for factor, vectors in pooled.items()
        },
    }
    text = json.dumps(rounded(fixture))
    (TEST / "evaluate" / "fixtures" / "words.json").write_text(text + "\n", encoding="utf-8")


def rounded(value):
    if isinstance(value, float):
        return round(value, 7)
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return {key: rounded(one) for key, one in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    main()
