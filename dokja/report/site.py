"""The whole site: every page in both languages as text by path, written in one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from dokja.language import LANGUAGES, Voice, mark
from dokja.report import addresses
from dokja.report.act_page import act_page
from dokja.report.edition import Edition
from dokja.report.index_page import index_page
from dokja.report.publication import Publication
from dokja.report.record_page import record_page
from dokja.report.rulebook_page import rulebook_page
from dokja.report.stage_page import stage_page
from dokja.report.swap import write_folder
from dokja.report.team_page import team_page
from dokja.report.trace_page import trace_page
from dokja.values import LanguageCode

LANGUAGE_NAMES: Mapping[LanguageCode, str] = {"ko": "한국어", "en": "English"}


@dataclass(frozen=True)
class NavigationItem:
    """A link of the navigation."""

    title: str
    href: str


@dataclass(frozen=True)
class Page:
    """A page of one language: its file, the template that shows it, and what is shown."""

    file: str
    template: str
    shown: object


def write_site(publication: Publication, folder: Path, extra: Mapping[str, str]) -> None:
    """Write the pages and the extra files (texts by path); the folder then holds these and nothing else.

    Raises `OSError` where that fails; a site that stood there before stands there still.
    """
    write_folder(folder, {**site(publication), **extra})


def site(publication: Publication) -> Mapping[str, str]:
    """Every file of the site by its path; the same publication gives the same bytes."""
    style = resources.files("dokja.report").joinpath("style.css").read_text(encoding="utf-8")
    files = {addresses.INDEX: _choice(publication), addresses.STYLE: style}
    for index, place in publication.places.items():
        files[addresses.act_bytes(index)] = place.body.decode()
        if place.proof is not None:
            files[addresses.act_proof(index)] = place.proof.decode()
    for language in LANGUAGES:
        edition = Edition(publication, language)
        frame = _frame(edition)
        for page in _pages(edition):
            files[f"{language}/{page.file}"] = _rendered(page, frame)
    return files


def _pages(edition: Edition) -> Iterator[Page]:
    yield Page(addresses.INDEX, "index", index_page(edition))
    for outcome in edition.publication.outcome.stages:
        yield Page(addresses.stage_page(outcome.stage), "stage", stage_page(outcome, edition))
        if outcome.scores:
            yield Page(addresses.trace_page(outcome.stage), "trace", trace_page(outcome, edition))
    for team in edition.teams:
        yield Page(addresses.team_page(team), "team", team_page(team, edition))
    yield Page(addresses.RULEBOOK, "rulebook", rulebook_page(edition))
    yield Page(addresses.RECORD, "record", record_page(edition))
    for index, place in edition.publication.places.items():
        yield Page(addresses.act_page(index), "act", act_page(place, edition))


def _rendered(page: Page, frame: Mapping[str, object]) -> str:
    return _template(page.template).render(frame, page=page.shown, file=page.file)


def _frame(edition: Edition) -> Mapping[str, object]:
    """What every page of an edition shows around its own."""
    publication = edition.publication
    return {
        "say": edition.say,
        "language": edition.language,
        "languages": LANGUAGE_NAMES,
        "programme": edition.text(publication.about.title),
        "navigation": _navigation(edition),
        "horizon": edition.day(publication.outcome.horizon),
        "size": publication.size,
        "root": publication.root,
        "left_out": [edition.source(source) for source in publication.outcome.without],
    }


def _navigation(edition: Edition) -> tuple[NavigationItem, ...]:
    return (
        NavigationItem(edition.voice(mark("Overview")), addresses.INDEX),
        *(
            NavigationItem(edition.stage_title(outcome.stage), addresses.stage_page(outcome.stage))
            for outcome in edition.publication.outcome.stages
        ),
        NavigationItem(edition.voice(mark("Rulebook")), addresses.RULEBOOK),
        NavigationItem(edition.voice(mark("Record")), addresses.RECORD),
    )


def _choice(publication: Publication) -> str:
    """The page that asks for a language, in both."""
    title = publication.about.title
    choices = [
        (language, LANGUAGE_NAMES[language], title.say(language), Voice(language)(mark("Read in English")))
        for language in LANGUAGES
    ]
    return _template("choice").render(choices=choices)


@cache
def _template(name: str) -> Template:
    return _environment().get_template(f"{name}.html.j2")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("dokja.report"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
