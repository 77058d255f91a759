"""Writes test/fixtures/losses/losses.json: values and gradients of sentence-transformers' ranking losses for random
embeddings. Run by hand, in any environment with scripts/scale/requirements.txt:

    python test/interop/make_loss_fixtures.py

Computed in 64-bit floats, so that what a test sees is the error of our losses alone.
"""

import json
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    GISTEmbedLoss,
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "test/fixtures/tiny-bert"
OUTPUT = ROOT / "test/fixtures/losses/losses.json"
PAIRS, HIDDEN = 6, 16


def numbers(values):
    """Nine digits: all of a 32-bit float."""
    return [float(f"{value:.9g}") for value in np.asarray(values).reshape(-1)]


def passing_on(key):
    """A model whose "texts" are embeddings already."""
    model = SentenceTransformer(str(TINY), device="cpu")
    model.forward = lambda features: {"sentence_embedding": features[key]}
    model.get_embedding_dimension = lambda: HIDDEN
    return model


def value_and_gradients(loss, columns, guides=None):
    """The loss, and its gradient with respect to the questions and to all the columns below each other."""
    columns = [column.clone().requires_grad_() for column in columns]
    features = [{"own": column} for column in columns]
    for feature, guide in zip(features, guides or []):
        feature["guide"] = guide
    value = loss(features, None)
    value.backward()
    questions, *others = [column.grad for column in columns]
    return {"loss": value.item(), "questions": numbers(questions), "columns": numbers(torch.cat(others))}


def main():
    rng = np.random.default_rng(11)

    def normal(scale=1.0):
        return scale * torch.tensor(rng.standard_normal((PAIRS, HIDDEN)).astype(np.float32)).double()

    questions = normal()
    # Near enough to the questions that no term of a softmax vanishes.
    positives = 0.4 * questions + normal()
    negatives = [0.3 * questions + normal(), 0.3 * questions.roll(1, 0) + normal()]
    guide_questions = normal()
    guide_positives = 0.3 * guide_questions + normal()
    # Guide similarities near the positive's, above and below the margin.
    guide_negatives = 0.3 * guide_questions + normal()

    own, guide = passing_on("own"), passing_on("guide")
    pairs, triplets = [questions, positives], [questions, positives, negatives[0]]

    def mnrl(**settings):
        return MultipleNegativesRankingLoss(own, **settings)

    def gist(strategy, margin):
        return GISTEmbedLoss(
            own, guide, temperature=1 / 20, margin_strategy=strategy, margin=margin,
            contrast_anchors=False, contrast_positives=False,
        )  # fmt: skip

    symmetric = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
    guides = [guide_questions, guide_positives, guide_negatives]
    cases = {
        "pairs": value_and_gradients(mnrl(), pairs),
        "symmetric": value_and_gradients(mnrl(**symmetric), pairs),
        "triplet": value_and_gradients(mnrl(), triplets),
        "twoNegatives": value_and_gradients(mnrl(), [questions, positives, *negatives]),
        "symmetricTriplet": value_and_gradients(mnrl(**symmetric), triplets),
        "matryoshka": value_and_gradients(MatryoshkaLoss(own, mnrl(), [16, 8, 4], [1, 0.5, 0.25]), triplets),
        "matryoshkaSymmetric": value_and_gradients(MatryoshkaLoss(own, mnrl(**symmetric), [16, 4]), pairs),
        "guided": value_and_gradients(gist("absolute", 0.0), triplets, guides),
        "guidedAbsolute": value_and_gradients(gist("absolute", 0.2), triplets, guides),
        "guidedRelative": value_and_gradients(gist("relative", 0.3), triplets, guides),
        "selfGuided": value_and_gradients(gist("absolute", 0.1), triplets, triplets),
    }
    inputs = {
        "questions": numbers(questions),
        "positives": numbers(positives),
        "negatives": [numbers(column) for column in negatives],
        "guideQuestions": numbers(guide_questions),
        "guidePositives": numbers(guide_positives),
        "guideNegatives": numbers(guide_negatives),
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    content = {"pairs": PAIRS, "hidden": HIDDEN, "inputs": inputs, "cases": cases}
    OUTPUT.write_text(json.dumps(content) + "\n")
    for name, case in cases.items():
        print(name, case["loss"])


if __name__ == "__main__":
    main()
