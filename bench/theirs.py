"""sentence-transformers' side of a measurement; questions and answers as in ours.mjs."""

import json
import resource
import sys
import time

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from transformers import get_linear_schedule_with_warmup

LEARNING_RATE = 2e-5
NO_DECAY = ["bias", "LayerNorm.bias", "LayerNorm.weight"]


def load(settings):
    torch.set_num_threads(settings["threads"])
    model = SentenceTransformer(settings["model"], device="cpu")
    model.max_seq_length = settings["maxSeqLength"]
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = settings.get("dropout") or 0.0
    return model


def trainer(model, settings):
    """The loop of SentenceTransformer.old_fit, one step a call; texts are tokenised beforehand, as ours are."""
    pairs, size = settings["pairs"], settings["batchSize"]
    batches = [
        [model.tokenize([pair[side] for pair in pairs[start : start + size]]) for side in (0, 1)]
        for start in range(0, len(pairs), size)
    ]
    loss_model = MultipleNegativesRankingLoss(model)
    named = list(loss_model.named_parameters())
    groups = [
        {"params": [p for n, p in named if not any(nd in n for nd in NO_DECAY)], "weight_decay": 0.01},
        {"params": [p for n, p in named if any(nd in n for nd in NO_DECAY)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE)
    total = len(batches) * settings["epochs"]
    scheduler = get_linear_schedule_with_warmup(optimizer, int(total * 0.1), total)
    loss_model.train()
    step = 0

    def take_step():
        nonlocal step
        features = [dict(side) for side in batches[step % len(batches)]]
        started = time.perf_counter()
        loss = loss_model(features, None)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(loss_model.parameters(), 1)
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
        value = loss.item()
        step += 1
        return {"milliseconds": 1000 * (time.perf_counter() - started), "loss": value}

    return take_step


def encode(model, texts):
    started = time.perf_counter()
    vectors = model.encode(texts)
    return {"milliseconds": 1000 * (time.perf_counter() - started), "first": vectors[0][:8].tolist()}


def memory():
    unit = 1 if sys.platform == "darwin" else 1024
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def main():
    model = take_step = None
    for line in sys.stdin:
        question = json.loads(line)
        answer = {}
        if model is None:
            model = load(question)
            if question.get("pairs"):
                take_step = trainer(model, question)
        elif question["do"] == "step":
            answer = take_step()
        elif question["do"] == "encode":
            answer = encode(model, question["texts"])
        else:
            answer = memory()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
