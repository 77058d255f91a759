"""sentence-transformers' side of run.mjs: trains as the original notebook does, then measures its own model and ours.

In: a JSON file named by the only argument. Out: one JSON object a line: {"step", "loss"} while it trains, then {"metrics", "vectors", "prompted",
"ids", "scores", "kin"}: vectors of questions and texts with prompts, word pieces by the tokenizer alone, scores by words of questions and texts, and
vectors of other architectures.
"""

import json
import sys

import torch
from sentence_transformers import InputExample, MultiVectorEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from tokenizers import Tokenizer
from torch.utils.data import DataLoader


class Reporting(torch.nn.Module):
    """A loss that prints its values."""

    def __init__(self, loss):
        super().__init__()
        self.loss, self.step = loss, 0

    def forward(self, *arguments):
        value = self.loss(*arguments)
        self.step += 1
        print(json.dumps({"step": self.step, "loss": value.item()}), flush=True)
        return value


def load(folder, max_seq_length=None):
    """As long as asked; else as long as the folder says."""
    model = SentenceTransformer(folder, device="cpu")
    model.max_seq_length = max_seq_length or model.max_seq_length
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def main(settings):
    torch.manual_seed(1)
    queries, corpus, relevant = settings["queries"], settings["corpus"], settings["relevantDocs"]
    model = load(settings["base"], settings["maxSeqLength"])
    examples = [InputExample(texts=[text, corpus[relevant[id][0]]]) for id, text in queries.items()]
    loader = DataLoader(examples, batch_size=settings["batchSize"])
    model.old_fit(
        [(loader, Reporting(MultipleNegativesRankingLoss(model)))],
        epochs=settings["epochs"],
        warmup_steps=int(len(loader) * settings["epochs"] * 0.1),
        show_progress_bar=False,
    )
    evaluator = InformationRetrievalEvaluator(queries, corpus, {id: set(ids) for id, ids in relevant.items()})
    ours = load(settings["ours"])
    metrics = {name: plain(evaluator(peer)) for name, peer in [("theirs", model), ("ours", ours)]}
    vectors = ours.encode(settings["texts"]).tolist()
    with_prompts = load(settings["prompted"])
    prompted = with_prompts.encode_query(settings["questions"]).tolist() + with_prompts.encode_document(settings["texts"]).tolist()
    tokenizer = Tokenizer.from_file(settings["ours"] + "/tokenizer.json")
    ids = [encoding.ids for encoding in tokenizer.encode_batch(settings["texts"])]
    words = MultiVectorEncoder(settings["words"], device="cpu")
    scores = words.similarity(words.encode_query(settings["questions"]), words.encode_document([text for text in settings["texts"] if text]))
    kin = [load(other["folder"]).encode(other["texts"]).tolist() for other in settings["kin"]]
    print(
        json.dumps({"metrics": metrics, "vectors": vectors, "prompted": prompted, "ids": ids, "scores": scores.tolist(), "kin": kin}),
        flush=True,
    )


def plain(metrics):
    """Without NumPy's types, which JSON does not know."""
    return {name: float(value) for name, value in metrics.items()}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        main(json.load(file))
