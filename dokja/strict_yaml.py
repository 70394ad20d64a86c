"""YAML 1.2 read strictly: mappings, sequences and texts, each with its line and column.

Only the part of YAML 1.2.2 that means the same to every reader is accepted: no anchors, aliases or tags, no
duplicate or non-text keys, no merge keys, one document, UTF-8. Scalars are never guessed at: `NO`, `12:30:00` and
`010` stay the text that was written (the "failsafe" schema, YAML 1.2.2 section 10.1, plus `null`); the schema that
reads the document decides what is a number. ruamel.yaml does the parsing; this module walks its events so that
size, depth and count are capped before anything is built.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from dokja.errors import DokjaError, Place, Problem
from dokja.values import Tree

MAXIMUM_BYTES = 4 * 1024 * 1024
MAXIMUM_DEPTH = 32
MAXIMUM_NODES = 200_000

Path_ = tuple[str | int, ...]
Locate = Callable[[Path_], Place]
"""The place of a node by its path of keys and positions."""

T = TypeVar("T")


@dataclass(frozen=True)
class Document:
    """A document's content and the place of every node in it, by its path of keys and positions."""

    file: Path
    tree: Tree
    places: Mapping[Path_, Place] = field(default_factory=lambda: MappingProxyType({}))

    def place(self, path: Path_) -> Place:
        """The place of the node at `path`, or of the nearest node that contains it."""
        for length in range(len(path), -1, -1):
            if (found := self.places.get(path[:length])) is not None:
                return found
        return Place(self.file)


@dataclass
class _Frame:
    path: Path_
    container: dict[str, Any] | list[Any]
    key: str | None = None

    def child(self) -> Path_:
        return (*self.path, self.key if isinstance(self.container, dict) else len(self.container))  # type: ignore[arg-type]

    def put(self, value: Tree) -> None:
        if isinstance(self.container, dict):
            assert self.key is not None  # noqa: S101 - put is called only after a key
            self.container[self.key] = value
            self.key = None
        else:
            self.container.append(value)


@contextmanager
def opened(file: Path, family: type[DokjaError]) -> Iterator[BufferedReader]:
    """A regular file, open to read its bytes; anything else, and a failing read, raises `family`."""
    if not file.is_file():
        raise family(Problem("file-missing", "There is no such file.", "Check the path.", Place(file)))
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise family(
            Problem(
                "file-unreadable",
                "The file cannot be read ({reason}).",
                "Check the path and its permissions.",
                Place(file),
                {"reason": error.strerror or type(error).__name__},
            )
        ) from error


def too_large(file: Path, limit: int) -> Problem:
    """The problem of a file of more than `limit` bytes."""
    return Problem(
        "file-too-large",
        "The file is larger than {limit} bytes.",
        "Split it, or move bulk data to a JSON Lines file.",
        Place(file),
        {"limit": f"{limit:,}"},
    )


def read_bytes(file: Path, limit: int, family: type[DokjaError]) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; anything else raises `family`."""
    with opened(file, family) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise family(too_large(file, limit))
    return data


def digest_of_file(file: Path, family: type[DokjaError]) -> str:
    """SHA-256 of a regular file's bytes; raises `family` where they cannot be read."""
    with opened(file, family) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_yaml(file: Path, family: type[DokjaError], data: bytes | None = None) -> Document:
    """Read one YAML file into a `Document`; every breach raises `family` with its line and column.

    `data` stands for the file's bytes where they have been read already.
    """
    raw = read_bytes(file, MAXIMUM_BYTES, family) if data is None else data
    try:
        text = raw.decode("utf-8", errors="strict").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise family(
            Problem(
                "yaml-not-utf8",
                "The file is not UTF-8 (byte {byte}).",
                "Save it as UTF-8; files in CP949 or EUC-KR must be converted first.",
                Place(file, line),
                {"byte": f"0x{raw[error.start]:02x}"},
            )
        ) from error
    places: dict[Path_, Place] = {}
    try:
        tree = _build(file, text, places, family)
    except MarkedYAMLError as error:
        raise family(_syntax(file, error)) from error
    except ReaderError as error:
        raise family(
            Problem(
                "yaml-syntax",
                "This is not YAML 1.2: {problem}.",
                "Remove the character that YAML does not allow.",
                _place_of(file, text, error.position),
                {"problem": f"U+{ord(text[error.position]):04X}"},
            )
        ) from error
    return Document(file, tree, MappingProxyType(places))


_SLIPS: tuple[tuple[str, str, str, bool], ...] = (
    ("character '\\t'", "A tab stands where spaces are due.", "Indent by spaces.", False),
    (
        "could not find expected ':'",
        "A name stands here without its colon.",
        "Write a colon and a space after the name, as in “seats: 4”.",
        True,
    ),
    (
        "mapping values are not allowed",
        "A colon stands where no name can begin.",
        "Put a text that holds a colon into quotes; indent this line like its neighbours, and give the one above a "
        "space after its colon.",
        False,
    ),
    (
        "sequence entries are not allowed",
        "A dash stands where no list can begin.",
        "Begin the list on a line of its own, below its name.",
        False,
    ),
    (
        "expected <block end>",
        "The line does not fit the ones above it.",
        "Indent it like its neighbours, and write a space after its dash and its colon; within '…' a quote is "
        "written twice.",
        False,
    ),
    ("found unexpected end of stream", "A quote that is opened here is never closed.", "Close it.", True),
    (
        "expected ',' or",
        "A bracket that is opened here is never closed, or a comma is missing in it.",
        "Close it, or write the comma.",
        True,
    ),
    (
        "cannot start any token",
        "No value can begin with this character.",
        "Put the value into quotes.",
        False,
    ),
)
"""The slips that people make: what the parser says, what that means, how to mend it, whether it began earlier."""


def _syntax(file: Path, error: MarkedYAMLError) -> Problem:
    said = str(error.problem or error.context)
    for sign, what, mend, earlier in _SLIPS:
        if sign in said:
            mark = error.context_mark if earlier and error.context_mark else error.problem_mark
            return Problem("yaml-syntax", what, mend, _place(file, mark))
    return Problem(
        "yaml-syntax",
        "This is not YAML 1.2: {problem}.",
        "Check the indentation, the quotes, and the spaces after dashes and colons near this line.",
        _place(file, error.problem_mark or error.context_mark),
        {"problem": said},
    )


def _events(text: str) -> Iterator[Event]:
    parser = YAML(typ="safe", pure=True)  # the round-trip scanner leaves a BEL at every fold of a text
    parser.version = (1, 2)
    yield from parser.parse(io.StringIO(text))


def _build(file: Path, text: str, places: dict[Path_, Place], family: type[DokjaError]) -> Tree:
    root: list[Any] = []
    frames = [_Frame((), root)]
    documents = 0
    for nodes, event in enumerate(_events(text)):
        place = _place(file, event.start_mark)
        if isinstance(event, DocumentStartEvent):
            documents += 1
        if (problem := _refusal(event, frames, documents, nodes)) is not None:
            raise family(Problem(*problem, place))
        frame = frames[-1]
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            container: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
            path = frame.child() if len(frames) > 1 else ()
            places.setdefault(path, place)
            frame.put(container)
            frames.append(_Frame(path, container))
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            frames.pop()
        elif isinstance(event, ScalarEvent):
            if isinstance(frame.container, dict) and frame.key is None:
                frame.key = event.value
                if event.value in frame.container:
                    raise family(
                        Problem(
                            "yaml-duplicate-key",
                            "The key “{key}” stands twice in one mapping.",
                            "Keep one of them.",
                            place,
                            {"key": event.value},
                        )
                    )
                places[frame.child()] = place
            else:
                if len(frames) > 1:
                    places.setdefault(frame.child(), place)
                frame.put(_scalar(event))
    return root[0] if root else None


def _refusal(event: Event, frames: list[_Frame], documents: int, nodes: int) -> tuple[str, str, str] | None:
    """Why this event is refused: code, what, mend; `None` when it is welcome."""
    awaits_key = isinstance(frames[-1].container, dict) and frames[-1].key is None
    checks = (
        (nodes > MAXIMUM_NODES, "yaml-too-many", "The document holds too many values.", "Split it."),
        (len(frames) > MAXIMUM_DEPTH, "yaml-too-deep", "The document is nested too deeply.", "Flatten it."),
        (
            documents > 1,
            "yaml-many-documents",
            "The file holds more than one document.",
            "Keep one per file.",
        ),
        (
            isinstance(event, DocumentStartEvent) and event.version not in (None, (1, 2)),
            "yaml-version",
            "The file asks to be read as another version of YAML.",
            "Take the %YAML line out; YAML 1.2 is what is read.",
        ),
        (
            isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None,
            "yaml-anchor",
            "Anchors and aliases are not allowed.",
            "Write the value out.",
        ),
        (
            getattr(event, "tag", None) is not None,
            "yaml-tag",
            "Tags are not allowed.",
            "Write the plain value; the schema decides its type.",
        ),
        (
            awaits_key and isinstance(event, (MappingStartEvent, SequenceStartEvent)),
            "yaml-key",
            "A key must be a text.",
            "Write the key as one word.",
        ),
        (
            awaits_key and isinstance(event, ScalarEvent) and event.value == "<<",
            "yaml-merge",
            "Merge keys are not allowed.",
            "Write the fields out.",
        ),
    )
    return next(((code, what, mend) for breach, code, what, mend in checks if breach), None)


def _scalar(event: ScalarEvent) -> str | None:
    if event.style is None and event.value in ("", "~", "null"):
        return None
    return str(event.value)


def _place(file: Path, mark: StreamMark | None) -> Place:
    return Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def _place_of(file: Path, text: str, position: int) -> Place:
    start = text.rfind("\n", 0, position) + 1
    return Place(file, text.count("\n", 0, position) + 1, position - start + 1)


def typed(document: Document, schema: TypeAdapter[T], family: type[DokjaError], code: str) -> T:
    """The document as `schema` types it; every breach is a problem of `family`, with its line, under `code`."""
    try:
        return schema.validate_python(document.tree)
    except ValidationError as error:
        raise family(*problems_of(error, document.tree, document.place, code)) from error


def problems_of(error: ValidationError, tree: Any, locate: Locate, code: str) -> list[Problem]:  # noqa: ANN401
    """One problem for each breach that pydantic found in a tree, at the place of the node that breaks the schema."""
    return [_problem(details, tree, locate, code) for details in error.errors(include_url=False)]


_MENDS = {
    "extra_forbidden": ("The field “{field}” is not known here.", "Remove it, or check its spelling."),
    "missing": ("The field “{field}” is missing.", "Add it."),
    "string_pattern_mismatch": (
        "“{value}” is not a valid value of “{field}”.",
        "Ids are lower-case ASCII letters and digits, joined by - or .",
    ),
    "string_too_long": ("“{field}” is too long.", "Shorten it."),
    "string_too_short": ("“{field}” is empty.", "Write it, or take the field out."),
    "too_long": ("“{field}” is too long.", "Shorten it."),
    "too_short": ("“{field}” holds too few values.", "Write it, or take the field out."),
    "model_type": ("“{field}” is no mapping.", "Write its fields, one a line, as name: value."),
    "model_attributes_type": ("“{field}” is no mapping.", "Write its fields, one a line, as name: value."),
    "dict_type": ("“{field}” is no mapping.", "Write its fields, one a line, as name: value."),
    "tuple_type": ("“{field}” is no list.", "Write its values, one a line, each after a dash."),
    "string_type": ("“{field}” is no text.", "Write a text."),
    "literal_error": ("“{value}” is not a valid value of “{field}”.", "Write one of {expected}."),
    "union_tag_invalid": ("“{value}” is not a known kind.", "Write one of {expected}."),
    "union_tag_not_found": ("The field that names the kind is missing.", "Add {expected}."),
}


_QUOTED = re.compile(r"'([^']*)'")


def _problem(details: ErrorDetails, tree: Any, locate: Locate, code: str) -> Problem:  # noqa: ANN401
    path = _known_path(tree, details["loc"])
    context = details.get("ctx", {})
    kind = "string_too_short" if details["type"] == "too_short" and details["input"] == "" else details["type"]
    what, mend = _MENDS.get(kind, ("“{field}”: {reason}.", "Mend the value “{value}”."))
    odd = [letter for letter in dict.fromkeys(str(details["input"])) if not letter.isascii()]
    if details["type"] == "string_pattern_mismatch" and odd:
        what = "“{value}” holds {odd}; an id holds ASCII letters only, and none that look like them."
    name = next((str(part) for part in reversed(details["loc"]) if isinstance(part, str)), "document")
    expected = context.get("expected") or context.get("expected_tags") or context.get("discriminator") or ""
    tag = context.get("tag")
    return Problem(
        code,
        what,
        mend,
        locate(path),
        {
            "field": name,
            "value": str(tag if tag is not None else details["input"])[:80],
            "expected": ", ".join(_QUOTED.findall(str(expected))) or str(expected),
            "odd": ", ".join(f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip() for letter in odd[:3]),
            "reason": details["msg"].removeprefix("Value error, "),
        },
    )


def _known_path(tree: Tree, location: tuple[int | str, ...]) -> Path_:
    """The part of pydantic's location that stands in the document.

    It also names the types of a union, as the first step into one; such a name may be that of a field as well.
    """
    path: list[str | int] = []
    node: Any = tree
    entered = True
    for part in location:
        if entered and isinstance(node, dict) and part in (node.get(tag) for tag in ("kind", "rule", "type")):
            entered = False
            continue
        entered = True
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            continue
        path.append(part)
    return tuple(path)
