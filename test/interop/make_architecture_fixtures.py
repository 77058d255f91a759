"""Writes test/fixtures/tiny-{roberta,xlm-roberta,distilbert,mpnet,modernbert} (small random encoders, each with a
tokenizer of its kind) and what sentence-transformers on PyTorch computes with each: reference.json, and of all but
xlm-roberta (roberta's body) every weight's gradient and its value after five steps. Run by hand, in an environment with
scripts/scale/requirements.txt and sentencepiece, for all or some of them:

    python test/interop/make_architecture_fixtures.py
    python test/interop/make_architecture_fixtures.py modernbert
"""

import io
import json
import re
import sys
import unicodedata

import numpy as np
import sentencepiece
import torch
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModel, DistilBertConfig, ModernBertConfig, MPNetConfig, RobertaConfig, XLMRobertaConfig

from make_engine_fixtures import (
    ENGINE, ROOT, TINY, fit, ids_of, load, loss_and_gradients, numbers, save, write_json,
)

FIXTURES = ROOT / "test/fixtures"
LANGUAGES = [path.read_text() for path in sorted((FIXTURES / "languages").glob("*.md"))]
TEXTS = json.loads((ENGINE / "texts.json").read_text())
PAIRS = TEXTS["tinyPairs"]
# As most texts in many scripts, and the special tokens of these tokenizers.
TOKENIZED = [*TEXTS["tokenizerTexts"], "the <mask> port <s> </s> <pad>", "▁ Ġ  two  spaces ", *TEXTS["tinyTexts"]]
TOKENIZED += [document[i : i + 90] for document in LANGUAGES for i in (0, 400, 800)]
CORPUS = [side for pair in PAIRS for side in pair] + LANGUAGES * 3
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
BERTS_SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
POSITIONS = 64


def bert_like(vocab, unknown):
    """MPNet's: word pieces between RoBERTa's special tokens."""
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(vocab)}, unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
    tokenizer.add_special_tokens([*SPECIAL, unknown])
    return tokenizer


def byte_pairs(size, special):
    """Byte pairs (Sennrich et al. 2016) of UTF-8's bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def byte_level():
    """RoBERTa's."""
    tokenizer = byte_pairs(359, SPECIAL)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
    return tokenizer


def behind_spaces():
    """ModernBERT's: byte pairs, then runs of spaces, then the special tokens of BERT."""
    tokenizer = byte_pairs(352, [])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in (3, 2)])
    tokenizer.add_special_tokens(BERTS_SPECIAL)
    around = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=around)
    return tokenizer


def nmt_nfkc(character):
    """As sentencepiece's builder makes the map: some control characters vanish, others are white space; then NFKC."""
    if re.match("[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]", character):
        return ""
    if re.match("[\t\n\f\r\u061c\u1680\u200b\u200c\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd]", character):
        return " "
    return unicodedata.normalize("NFKC", character)


def unigram():
    """XLM-RoBERTa's: sentencepiece's Unigram (Kudo 2018), with what its map nmt_nfkc says of the characters here."""
    rules = ROOT / ".cache/rules.tsv"
    code = lambda text: " ".join(f"{ord(c):X}" for c in text)
    everything = "\n".join(CORPUS + TOKENIZED)
    combined = {a + b for a, b in zip(everything, everything[1:]) if unicodedata.combining(b)}
    mapped = {c: nmt_nfkc(c) for c in sorted(set(everything) | combined)}
    rules.write_text("".join(f"{code(c)}\t{code(to)}\n" for c, to in mapped.items() if to != c))
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for text in CORPUS for line in text.split("\n") if line),
        model_writer=trained,
        vocab_size=600,
        character_coverage=1.0,
        normalization_rule_tsv=str(rules),
        minloglevel=2,
    )
    rules.unlink()
    proto = sentencepiece_model_pb2.ModelProto.FromString(trained.getvalue())
    pieces = [(piece, 0.0) for piece in SPECIAL] + [(p.piece, p.score) for p in proto.pieces[3:]]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    whole = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), whole])
    tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def distilbert_tokenizer():
    return Tokenizer.from_file(str(TINY / "tokenizer.json"))


def mpnet_tokenizer():
    ids = json.loads((TINY / "tokenizer.json").read_text())["model"]["vocab"]
    return bert_like([*SPECIAL, "[UNK]", *[piece for piece in ids if not piece.startswith("[")]], "[UNK]")


SHAPE = {"vocab_size": 0, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
AFTER_PADDING = {"max_position_embeddings": POSITIONS + 2, "pad_token_id": 1, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": POSITIONS}
# A layer of all, one of the nearest 8 to either side, one of all: most texts here are longer than that.
ROTARY = {"num_hidden_layers": 3, "global_attn_every_n_layers": 2, "local_attention": 16, "max_position_embeddings": POSITIONS}
KINDS = {
    "roberta": (RobertaConfig, {**SHAPE, **AFTER_PADDING}, byte_level, "mean"),
    "xlm-roberta": (XLMRobertaConfig, {**SHAPE, **AFTER_PADDING}, unigram, "cls"),
    "distilbert": (DistilBertConfig, DISTIL, distilbert_tokenizer, "mean"),
    "mpnet": (MPNetConfig, {**SHAPE, **AFTER_PADDING}, mpnet_tokenizer, "mean"),
    "modernbert": (ModernBertConfig, {**SHAPE, **ROTARY}, behind_spaces, "mean"),
}


def make(kind, folder):
    Config, settings, make_tokenizer, pooling = KINDS[kind]
    tokenizer = make_tokenizer()
    if kind != "distilbert":
        tokenizer.add_special_tokens([AddedToken("[MASK]" if kind == "modernbert" else "<mask>", lstrip=True)])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    is_berts = kind in ("distilbert", "modernbert")
    names = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"] if is_berts else ["<unk>", "</s>", "<pad>", "<s>", "<mask>"]
    named = dict(zip(["unk_token", "sep_token", "pad_token", "cls_token", "mask_token"], names))
    if kind == "mpnet":
        named["unk_token"] = "[UNK]"
    write_json(folder / "tokenizer_config.json", {**named, "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS})
    if kind == "modernbert":
        cls, sep, pad = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
        own = {"cls_token_id": cls, "bos_token_id": cls, "sep_token_id": sep, "eos_token_id": sep, "pad_token_id": pad}
    else:
        own = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = Config(**{**settings, **own, "vocab_size": tokenizer.get_vocab_size()})
    torch.manual_seed(5)
    model = AutoModel.from_config(config)
    weights = {}
    generator = np.random.default_rng(7)
    for name, parameter in model.named_parameters():
        if name.startswith("pooler."):
            continue
        is_norm = "norm" in name.lower() and name.endswith("weight")
        # Wider than a fresh model's 0.02, so that attention is far from uniform and every gradient counts.
        scale = 0.1 if parameter.ndim == 1 else 0.5 if re.search("word|tok_|relative", name) else 0.25
        values = float(is_norm) + scale * generator.standard_normal(tuple(parameter.shape))
        weights[name] = values.astype(np.float32)
    write_json(folder / "config.json", {"architectures": [type(model).__name__], **config.to_diff_dict()}, 2)
    save(weights, folder / "model.safetensors")
    parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write_json(
        folder / "modules.json",
        [{"idx": i, "name": str(i), "path": at, "type": f"sentence_transformers.models.{one}"} for i, (at, one) in enumerate(parts)],
    )
    write_json(folder / "1_Pooling/config.json", {"word_embedding_dimension": 16, "pooling_mode": pooling})


def reference(kind, folder):
    embedded = [side for pair in PAIRS[:5] for side in pair] + TOKENIZED[-2:]
    with torch.no_grad():
        embeddings = numbers(load(folder).eval().encode(embedded, convert_to_numpy=True))
    model = load(folder)
    tokens = {str(length): [ids_of(model, text, length) for text in TOKENIZED] for length in (64, 16, 3)}
    result = {"embeddings": embeddings, "embedded": embedded, "tokens": tokens, "tokenized": TOKENIZED}
    if kind != "xlm-roberta":
        result["loss"], gradients = loss_and_gradients(load(folder), PAIRS[:8])
        save({name: g.astype(np.float32) for name, g in gradients.items()}, folder / "gradients.safetensors")
        trained = load(folder)
        result["losses"] = fit(trained, PAIRS, 4, 1, 1)  # 5 steps: learning rate × 0, 1, 3/4, 1/2, 1/4
        after = {name: p.detach().numpy().astype(np.float32) for name, p in trained[0].auto_model.named_parameters()}
        save({name: after[name] for name in gradients}, folder / "after-5-steps.safetensors")
    write_json(folder / "reference.json", result)


if __name__ == "__main__":
    for kind in sys.argv[1:] or KINDS:
        make(kind, FIXTURES / f"tiny-{kind}")
        reference(kind, FIXTURES / f"tiny-{kind}")
