"""One process of `npm run scale:train`, as torchrun starts them: the training of lib/train in PyTorch.

In: a run's folder (see prepare.mjs), the only argument. Out: step-N/model.safetensors there; on the terminal, by the
first process, a JSON object a line: {"step", "loss"}, and at the end {"ended": true}.

Every process takes an equal share of a batch's questions and of its chunks' windows, encodes it, and compares its own
questions with the windows of all processes: loss and gradient are those of one process with the whole batch. (So does
sentence-transformers for one vector a text, with gather_across_devices=True.)
"""

import json
import math
import os
import sys
import threading
import time
import warnings
from pathlib import Path

import torch
import torch.distributed as dist
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import all_gather_with_grad
from torch.nn.functional import cross_entropy, normalize
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.rnn import pad_sequence

MAX_GRAD_NORM = 1.0
MASKED = -1e9  # added to a score that must not count


def end_with_parent():
    """torchrun puts its processes into sessions of their own, where they would outlive it if it were killed."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def mapped(path):
    """A file's 32-bit integers, read when they are used."""
    return torch.from_file(str(path), size=path.stat().st_size // 4, dtype=torch.int32)


class Sequences:
    """Token ids of all texts and windows, one after the other on the disk: in memory is what was read of them."""

    def __init__(self, folder):
        self.ends = mapped(folder / "lengths.i32").cumsum(0)
        self.tokens = mapped(folder / "tokens.i32")

    def __getitem__(self, number):
        start = int(self.ends[number - 1]) if number else 0
        return self.tokens[start : int(self.ends[number])].long()


class Encoder:
    """A batch's sequences → vectors, each process its share."""

    def __init__(self, model, sequences, device):
        self.model, self.sequences, self.device = model, sequences, device
        self.rank, self.processes = dist.get_rank(), dist.get_world_size()

    def own(self, numbers):
        """Where this process's share begins, and how long it is; the last shares may be shorter, or empty."""
        size = math.ceil(len(numbers) / self.processes)
        start = self.rank * size
        return start, size, max(0, min(size, len(numbers) - start))

    def encode(self, numbers):
        """Vectors of this process's share: [size, hidden]. A short share is filled up, so that all are of one size."""
        start, size, _ = self.own(numbers)
        share = [self.sequences[number] for number in (numbers[start : start + size] + numbers[:1] * size)[:size]]
        ids = pad_sequence(share, batch_first=True)  # [size, tokens]
        lengths = torch.tensor([len(sequence) for sequence in share])
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        features = {"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)}
        # On a GPU matrix products are in bfloat16; weights, loss and optimizer stay in 32 bits.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            return self.model(features)["sentence_embedding"].float()

    def encode_everywhere(self, numbers):
        """Vectors of all processes' shares, with their gradient: [len(numbers), hidden]"""
        return all_gather_with_grad(self.encode(numbers))[: len(numbers)]


def chunk_scores(scores, counts):
    """Log-mean-exp, as in lib/train/ranking-loss.ts: [questions, windows] → [questions, chunks]"""
    windows = pad_sequence(scores.T.split(counts), padding_value=-torch.inf)  # [most windows, chunks, questions]
    return (windows.logsumexp(0) - torch.tensor(counts, device=scores.device).log()[:, None]).T


def ranking_loss(encoder, batch, scale):
    """This process's part of the mean over all questions of −log softmax(scale · cosine)[its chunk]."""
    start, _, count = encoder.own(batch["questions"])
    questions = normalize(encoder.encode(batch["questions"])[:count])  # [own questions, hidden]
    windows = normalize(encoder.encode_everywhere(batch["windows"]))  # [windows, hidden]
    scores = chunk_scores(scale * questions @ windows.T, batch["counts"])  # [own questions, chunks]
    scores = scores[:, batch["columns"]]  # [own questions, columns]
    mask = torch.zeros(len(batch["questions"]), scores.shape[1])
    for row, column in batch["knownPositives"]:
        mask[row, column] = MASKED
    own = slice(start, start + count)
    targets = torch.tensor(batch["targets"])[own].to(scores.device)
    return cross_entropy(scores + mask[own].to(scores.device), targets, reduction="sum") / len(batch["questions"])


def optimizer_of(model):
    """AdamW as torch.optim has it (decay 0.01), without decay of biases and LayerNorm weights."""
    named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    undecayed = [weight for name, weight in named if name.endswith(".bias") or "LayerNorm" in name]
    decayed = [weight for name, weight in named if not (name.endswith(".bias") or "LayerNorm" in name)]
    return torch.optim.AdamW([{"params": decayed}, {"params": undecayed, "weight_decay": 0.0}])


def load(settings, device):
    model = SentenceTransformer(settings["base"], device=str(device))
    for name, weight in model.named_parameters():
        weight.requires_grad_(".pooler." not in name)  # an embedding does not pass through it
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = settings["dropout"]
    return model.train()


def main(folder):
    end_with_parent()
    warnings.filterwarnings("ignore", category=FutureWarning)  # of names in PyTorch that sentence-transformers uses
    on_gpu = torch.cuda.is_available()
    dist.init_process_group("nccl" if on_gpu else "gloo")
    rank, local = dist.get_rank(), int(os.environ["LOCAL_RANK"])
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)

    settings = json.loads((folder / "settings.json").read_text())
    model = load(settings, device)
    optimizer = optimizer_of(model)
    encoder = Encoder(DistributedDataParallel(model, device_ids=[local] if on_gpu else None), Sequences(folder), device)
    checkpoint, done, saved = folder / "checkpoint.pt", 0, time.monotonic()
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done = state["step"]
    with open(folder / "batches.jsonl", encoding="utf-8") as batches:
        for step, line in enumerate(batches, 1):
            if step <= done:
                continue
            batch = json.loads(line)
            # Dropout: other values in each process, and the same when a run goes on.
            torch.manual_seed((settings["seed"] * 1000 + rank) * 1_000_000 + step)
            for group in optimizer.param_groups:
                group["lr"] = batch["learningRate"]
            part = ranking_loss(encoder, batch, settings["scale"])
            (part * dist.get_world_size()).backward()  # of which DistributedDataParallel takes the mean
            loss = part.detach().clone()
            dist.all_reduce(loss)
            if not math.isfinite(loss):
                sys.exit(f"The loss is {loss.item()} at step {step}, so training stopped. Try a smaller LEARNING_RATE.")
            torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
            optimizer.step()
            optimizer.zero_grad()
            if rank > 0:
                continue
            print(json.dumps({"step": step, "loss": loss.item()}), flush=True)
            if step in settings["keep"]:
                model[0].auto_model.save_pretrained(folder / f"step-{step}")
            if time.monotonic() - saved >= settings["checkpointSeconds"]:
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
                torch.save(state, checkpoint.with_suffix(".tmp"))
                os.replace(checkpoint.with_suffix(".tmp"), checkpoint)  # whole or not at all
                saved = time.monotonic()
    if rank == 0:
        print(json.dumps({"ended": True}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
