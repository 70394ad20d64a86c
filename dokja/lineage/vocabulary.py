"""The words of a model, from its tokenizer.json: what two models can be asked in common.

Words are hints to what rows of the embeddings mean; nothing else is taken from the file. It is capped before it is
parsed, and a file that is not what it should be gives no words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

MOST_BYTES = 64 << 20
MOST_WORDS = 1_000_000


def vocabulary(where: str) -> Mapping[str, int]:
    """The row of each word, from `tokenizer.json` beside a local checkpoint; empty where there is none."""
    path = Path(where)
    file = (path if path.is_dir() else path.parent) / "tokenizer.json"
    try:
        if not file.is_file() or file.stat().st_size > MOST_BYTES:
            return {}
        words = json.loads(file.read_bytes())["model"]["vocab"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not isinstance(words, dict) or len(words) > MOST_WORDS:
        return {}
    # JSON has no other whole numbers than Python's own, and its truth values are of another type.
    good = set(map(type, words.values())) <= {int} and min(words.values(), default=0) >= 0
    return words if good else {}


def priority(key: int, word: str) -> bytes:
    """Where a word stands when words are drawn by a key: the same in every vocabulary that holds it."""
    return sha256(f"{key}:{word}".encode("utf-8", "surrogatepass")).digest()
