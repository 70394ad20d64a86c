"""The whole site: every page in both languages as text by path, written in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from importlib import resources
from pathlib import Path
from typing import Self

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from dokja.language import LANGUAGES, Voice, mark
from dokja.record.parallel import processors, spread
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

_ALONE = 400
"""Up to so many pages are made in this process: others take longer to start than to help."""

_AT_ONCE = 60
"""Pages that are made in one go."""

LANGUAGE_NAMES: Mapping[LanguageCode, str] = {"ko": "한국어", "en": "English"}


@dataclass(frozen=True)
class NavigationItem:
    """A link of the navigation."""

    title: str
    href: str


@dataclass(frozen=True)
class Page:
    """A page of one language: its file, the template that shows it, and what is shown.

    drawn: whether it holds charts, which take long to begin with.
    """

    file: str
    template: str
    shown: Callable[[], object]
    drawn: bool = False


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
    press = Press(publication)
    with spread(press, processors() if len(press.pages) > _ALONE else 1) as print_all:
        for printed in print_all(_jobs(press.pages)):
            files |= printed
    return files


@dataclass(frozen=True)
class Press:
    """Makes pages of a publication, named by their numbers, in whichever process."""

    publication: Publication

    def __reduce__(self) -> tuple[type[Self], tuple[Publication]]:
        """What goes to another process is the publication."""
        return type(self), (self.publication,)

    @cached_property
    def editions(self) -> Sequence[tuple[Edition, Mapping[str, object]]]:
        """The publication in each language, and what stands around its pages."""
        editions = [Edition(self.publication, language) for language in LANGUAGES]
        return [(edition, _frame(edition)) for edition in editions]

    @cached_property
    def pages(self) -> Sequence[tuple[Page, Mapping[str, object]]]:
        """All pages, each with what stands around it."""
        return [(page, frame) for edition, frame in self.editions for page in _pages(edition)]

    def __call__(self, numbers: Sequence[int]) -> dict[str, str]:
        """Some of the pages, by the paths of their files."""
        printed = {}
        for page, frame in map(self.pages.__getitem__, numbers):
            text = _template(page.template).render(frame, page=page.shown(), file=page.file)
            printed[f"{frame['language']}/{page.file}"] = text
        return printed


def _jobs(pages: Sequence[tuple[Page, Mapping[str, object]]]) -> Iterator[Sequence[int]]:
    """The pages' numbers: first those with charts, in one go for each process, for the painter is slow to start."""
    drawn, plain = ([number for number, (page, _) in enumerate(pages) if page.drawn is so] for so in (True, False))
    each = processors()
    yield from (drawn[first::each] for first in range(each))
    for first in range(0, len(plain), _AT_ONCE):
        yield plain[first : first + _AT_ONCE]


def _pages(edition: Edition) -> Iterator[Page]:
    yield Page(addresses.INDEX, "index", partial(index_page, edition), drawn=True)
    for outcome in edition.publication.outcome.stages:
        yield Page(addresses.stage_page(outcome.stage), "stage", partial(stage_page, outcome, edition), drawn=True)
        if outcome.scores:
            yield Page(addresses.trace_page(outcome.stage), "trace", partial(trace_page, outcome, edition))
    for team in edition.teams:
        yield Page(addresses.team_page(team), "team", partial(team_page, team, edition))
    yield Page(addresses.RULEBOOK, "rulebook", partial(rulebook_page, edition))
    yield Page(addresses.RECORD, "record", partial(record_page, edition))
    for index, place in edition.publication.places.items():
        yield Page(addresses.act_page(index), "act", partial(act_page, place, edition))


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
