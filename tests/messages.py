"""Every message that dokja can say to a person, found in its source; `make messages` keeps the catalogue in line.

A message is: a text given to `voice`, `say`, `mark` or one of their kin; what a `Problem` says and how to mend it;
why a value is refused (a `ValueError` beside a schema); and any text that reads like a sentence, so that a message in
a table cannot be forgotten. Docstrings and f-strings are none.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "dokja"
CATALOGUE = SOURCE / "locale" / "ko" / "LC_MESSAGES" / "dokja.po"

SPEAKERS = frozenset({"voice", "say", "mark", "note", "working", "_", "gettext"})
"""Functions whose first argument is a message."""

SENTENCE = re.compile(r"(?:[A-Z“{]|[a-z]+\.yaml ).* .*[.?…”]", re.DOTALL)
FAMILIES = (
    "act",
    "audit",
    "checkpoint",
    "demo",
    "file",
    "init",
    "key",
    "library",
    "lint",
    "manifest",
    "programme",
    "record",
    "rulebook",
    "system",
    "usage",
    "why",
    "witness",
    "yaml",
)
"""What codes of problems begin with: the room or the verb that they come from."""

CODE = re.compile(rf"(?:{'|'.join(FAMILIES)})(?:-[a-z0-9]+)+")
NO_CODES = frozenset(
    {
        "audit-reported",
        "audit-without-rule",
        "key-registered",
        "key-rotated",
        "rulebook-published",
        "rulebook-amended",
    }
)
"""Types of acts and the name of a lint rule, which look like codes."""

PLACEHOLDERS = Formatter()


def python_files() -> tuple[Path, ...]:
    """The modules of dokja."""
    return tuple(sorted(SOURCE.rglob("*.py")))


def messages() -> Mapping[str, Path]:
    """Every message id with the first file that says it."""
    found: dict[str, Path] = {}
    for file in python_files():
        for message in in_python(file.read_text(encoding="utf-8")):
            found.setdefault(message, file)
    for file in sorted(SOURCE.rglob("*.j2")):
        for message in in_template(file):
            found.setdefault(message, file)
    return found


def in_python(source: str) -> Iterator[str]:
    """The messages of one module."""
    tree = ast.parse(source)
    schemas = any(isinstance(node, ast.ImportFrom) and node.module == "pydantic" for node in ast.walk(tree))
    silent = {id(node) for node in _docstrings(tree)} | {id(node) for node in _parts_of_f_strings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _said_by(node, schemas=schemas)
        elif isinstance(node, ast.Constant) and id(node) not in silent and _is_sentence(node.value):
            yield str(node.value)


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and SENTENCE.fullmatch(value) is not None


def in_template(file: Path) -> Iterator[str]:
    """The messages of one template."""
    with file.open("rb") as stream:
        for _, _, message, _ in babel_extract(stream, sorted(SPEAKERS), (), {"silent": "false"}):
            texts = message if isinstance(message, tuple) else (message,)
            yield from (text for text in texts[:1] if text)


def _said_by(call: ast.Call, *, schemas: bool) -> Iterator[str]:
    name = _name(call.func)
    spoken: list[ast.expr] = []
    if name in SPEAKERS or (name == "ValueError" and schemas):
        spoken = call.args[:1]
    if name == "Problem":
        spoken = [*call.args[1:3], *(keyword.value for keyword in call.keywords if keyword.arg in ("what", "mend"))]
    for argument in spoken:
        text = _text(argument)
        if text and text not in ("ko", "en"):
            yield text


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """Texts that stand as a statement of their own."""
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))


def _parts_of_f_strings(tree: ast.Module) -> Iterator[ast.expr]:
    return (part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values)


def codes() -> frozenset[str]:
    """Every code of a problem: a word of one of the families, wherever it stands in the source."""
    texts = (_text(node) for file in python_files() for node in ast.walk(_parsed(file)) if isinstance(node, ast.expr))
    return frozenset(text for text in texts if text and CODE.fullmatch(text)) - NO_CODES


def written_codes() -> frozenset[str]:
    """The codes that stand in the call of a `Problem` itself; those of a table are read from it."""
    calls = (node for file in python_files() for node in ast.walk(_parsed(file)) if isinstance(node, ast.Call))
    firsts = (_text(call.args[0]) for call in calls if _name(call.func) == "Problem" and call.args)
    return frozenset(text for text in firsts if text)


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def placeholders(message: str) -> frozenset[str]:
    """The names that a message leaves to be filled."""
    return frozenset(name for _, name, _, _ in PLACEHOLDERS.parse(message) if name is not None)


def catalogue() -> Catalog:
    """The Korean catalogue."""
    return read_po(CATALOGUE.open("rb"), locale="ko") if CATALOGUE.exists() else Catalog(locale="ko")


def merge() -> tuple[list[str], list[str]]:
    """Write the catalogue anew from what stands in it: the messages without Korean, and those gone."""
    korean = {str(entry.id): str(entry.string) for entry in catalogue() if entry.id}
    wanted = messages()
    fresh = Catalog(
        locale="ko",
        project="dokja",
        copyright_holder="the dokja authors",
        charset="utf-8",
        fuzzy=False,
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),
        revision_date=datetime(2026, 1, 1, tzinfo=UTC),
        header_comment="# What dokja says, in Korean. `make messages` keeps it in line with the source.",
    )
    for message in wanted:
        fresh.add(message, korean.get(message, ""))
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    with CATALOGUE.open("wb") as stream:
        write_po(stream, fresh, width=118, sort_output=True, no_location=True, omit_header=False)
    missing = [message for message in wanted if not korean.get(message)]
    return missing, sorted(set(korean) - set(wanted))


def main() -> None:
    """Merge, and say what is missing."""
    missing, gone = merge()
    for title, found in (("without Korean", missing), ("no longer said", gone)):
        sys.stdout.write(f"{len(found)} {title}\n")
        sys.stdout.writelines(f"  {message}\n" for message in found)


if __name__ == "__main__":
    main()
