"""Rulebook files → `History`: every file typed, numbered in order, its clauses unique and its references whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from dokja.errors import Place, Problem, RulebookError
from dokja.rulebook.versions import History, RulebookDocument
from dokja.strict_yaml import Document, read_yaml, typed

DOCUMENT = TypeAdapter(RulebookDocument)


def read_rulebook(files: Sequence[Path]) -> History:
    """The history that the files tell, in the order of their numbers.

    Raises `RulebookError` with every problem of the first file that cannot be read, or with every problem of the
    whole: a number out of order, a clause id that stands twice in one document, a document of another rulebook.
    """
    if not files:
        raise RulebookError(Problem("rulebook-empty", "There is no rulebook file.", "Write rulebook/0001-….yaml."))
    read = [_document(file) for file in files]
    problems = [problem for checked in read for problem in _clashes(*checked)]
    problems += _order(read)
    if problems:
        raise RulebookError(*problems)
    places = {
        (document.number, clause.id): source.place(("clauses", position))
        for source, document in read
        for position, clause in enumerate(document.clauses)
    }
    return History(tuple(document for _, document in read), places)


def _document(file: Path) -> tuple[Document, RulebookDocument]:
    source = read_yaml(file, RulebookError)
    return source, typed(source, DOCUMENT, RulebookError, "rulebook-schema")


def _clashes(source: Document, document: RulebookDocument) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, clause in enumerate(document.clauses):
        if clause.id in seen:
            yield Problem(
                "rulebook-duplicate-clause",
                "The clause “{clause}” stands twice in one document.",
                "Keep one of them, or give the other a name of its own.",
                source.place(("clauses", position, "id")),
                {"clause": clause.id},
            )
        seen.add(clause.id)


def _order(read: Sequence[tuple[Document, RulebookDocument]]) -> Iterator[Problem]:
    first = read[0][1]
    for expected, (source, document) in enumerate(read, start=1):
        checks = (
            (
                document.number != expected,
                "rulebook-number",
                "The document has number {number} where {expected} is due.",
                "Number the documents 1, 2, 3 … in the order of their file names.",
                "number",
            ),
            (
                document.rulebook != first.rulebook,
                "rulebook-other",
                "The document belongs to the rulebook “{rulebook}”, the first one to “{first}”.",
                "Keep one rulebook in one folder.",
                "rulebook",
            ),
            (
                (document.amendment is None) != (expected == 1),
                "rulebook-amendment",
                "The first document founds the rulebook and every later one amends it.",
                "Give every document but the first an amendment: its scope, reason and consent.",
                "amendment",
            ),
        )
        for breach, code, what, mend, field in checks:
            if breach:
                place: Place = source.place((field,))
                values = {
                    "number": str(document.number),
                    "expected": str(expected),
                    "rulebook": document.rulebook,
                    "first": first.rulebook,
                }
                yield Problem(code, what, mend, place, values)
