"""`docs/record-format.md` names every code; the second verifier shares nothing with the package."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from dokja.record.transparency import CODES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "record-format.md").read_text(encoding="utf-8")
SECOND = (ROOT / "verifier" / "dokja_verify.py").read_text(encoding="utf-8")


def test_every_code_is_described_and_said_somewhere_else_on_the_page() -> None:
    rules, _, table = PAGE.partition("## Codes")
    assert dict(re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", table, re.MULTILINE)) == dict(CODES)
    assert set(CODES) <= set(re.findall(r"`([A-Z_]+)`", rules))


def test_the_second_verifier_needs_the_standard_library_and_cryptography() -> None:
    modules = set()
    for node in ast.walk(ast.parse(SECOND)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            modules.add(node.module.split(".")[0])
    assert modules - sys.stdlib_module_names == {"cryptography"}


def test_the_second_verifier_says_the_same_codes() -> None:
    assert set(
        re.findall(
            r'"((?:BAG|NOTE|QUORUM|TREE|ENTRY|ACT|KEY|DRAW|GRID|OPENING|RECEIPT)_[A-Z_]+|FORK|ROLLED_BACK|GENESIS|SIGNER_[A-Z_]+)"',
            SECOND,
        )
    ) == (CODES.keys() - {"TREE_CONSISTENCY"})
