"""Writes an audit as pages: one file for each language, whole or not at all, the same bytes for the same audit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dokja.language import LANGUAGES, Voice, preferred
from dokja.lineage.arrays import CPU
from dokja.lineage.findings import Audit
from dokja.lineage.page.beside import beside
from dokja.lineage.page.viewing import view
from dokja.lineage.telling import visible
from dokja.lineage.words import ON_A_DEVICE, OVERLAP
from dokja.values import LanguageCode
from dokja.whole import write_whole

LANGUAGE_NAMES = {"ko": "한국어", "en": "English"}


def write_page(audit: Audit, where: Path, command: str, language: LanguageCode | None = None) -> tuple[Path, ...]:
    """Write the audit's pages and say where they stand.

    where: a folder for `audit.ko.html` and `audit.en.html`, or a file ending in `.html` for one of them. command:
    what replays the audit. language: of the one file; where it is absent, the one that the environment asks for.
    """
    places = page_places(where, language)
    names = {each: place.name for each, place in places.items()}
    pages = names if len(names) > 1 else None
    write_whole({place: render(audit, command, each, pages) for each, place in places.items()})
    return tuple(places.values())


def page_places(where: Path, language: LanguageCode | None = None) -> Mapping[LanguageCode, Path]:
    """Where `write_page` puts the page of each language."""
    if where.suffix == ".html" and not where.is_dir():
        return {language or preferred(): where}
    return {each: where / f"audit.{each}.html" for each in LANGUAGES}


def render(
    audit: Audit, command: str, language: LanguageCode, pages: Mapping[LanguageCode, str] | None = None
) -> str:
    """The page in one language. pages: the files of the other languages, to which it links."""
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            audit=audit,
            it=view(audit, Voice(language)),
            beside=beside(audit, Voice(language)),
            overlap_note=OVERLAP,
            on_a_device=ON_A_DEVICE if audit.device != CPU else None,
            command=visible_command(command),
            language=language,
            languages=LANGUAGE_NAMES,
            pages=pages or {},
            say=Voice(language),
            style=_style(),
        )
    )


def visible_command(command: str) -> str:
    """The command to its full length, line by line."""
    return "\n".join("".join(visible(letter) for letter in line) for line in command.splitlines())


@cache
def _style() -> Markup:
    source = resources.files("dokja.lineage.page") / "style.css"
    return Markup(source.read_text(encoding="utf-8"))  # noqa: S704 - our own style sheet


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("dokja.lineage.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
