"""The site as a whole: all pages, links that resolve, the same bytes, hostile text made harmless, one step."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest

from dokja.record.acts import Application
from dokja.report import Publication, write_site
from dokja.report import site as report_site
from dokja.report.site import site
from dokja.values import Bilingual
from tests.report.markup import Page, parsed

HOSTILE = '<script>alert(\'1\')</script>" onmouseover="x" &lt; {team} {{ 7 * 7 }} \u202e'


def pages(files: Mapping[str, str]) -> Mapping[str, Page]:
    return {path: parsed(text) for path, text in files.items() if path.endswith(".html")}


def test_every_page_stands_in_both_languages(files: Mapping[str, str]) -> None:
    teams = ("lg", "motif", "naver", "nc-ai", "skt", "trillion-labs", "upstage")
    wanted = {"index.html", "rulebook.html", "record.html", "stage-1.html", "stage-2.html", "stage-3.html"}
    wanted |= {"trace-stage-1.html", "trace-stage-2.html", *(f"team-{team}.html" for team in teams)}
    for language in ("ko", "en"):
        found = {path.removeprefix(f"{language}/") for path in files if path.startswith(f"{language}/")}
        assert wanted <= found
    assert {"index.html", "style.css"} <= set(files)


@pytest.mark.parametrize("which", ["files", "whole"])
def test_every_link_leads_somewhere_and_every_id_stands_once(which: str, request: pytest.FixtureRequest) -> None:
    files = {**request.getfixturevalue(which), "outcome.json": "{}"}
    found = pages(files)
    for path, page in found.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            if link.startswith(("https://", "http://", "data:")):
                continue
            target, _, anchor = unquote(link).partition("#")
            whole = str(PurePosixPath(path).parent / target) if target else path
            resolved = os.path.normpath(whole)
            assert resolved in files, f"{path} links to {link}"
            if anchor:
                assert anchor in found[resolved].ids, f"{path} links to {link}"


def test_the_pages_are_the_same_however_many_processes_make_them(
    files: Mapping[str, str], real: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_site, "_ALONE", 0)
    monkeypatch.setattr(report_site, "_AT_ONCE", 3)
    monkeypatch.setattr(report_site, "processors", lambda: 2)
    assert site(real) == files


def test_every_page_says_its_language_and_has_one_heading(files: Mapping[str, str]) -> None:
    for path, page in pages(files).items():
        tags = [tag for tag, _ in page.elements]
        assert tags.count("h1") == 1, path
        assert tags.count("main") == 1, path
        html = next(attributes for tag, attributes in page.elements if tag == "html")
        assert path == "index.html" or html["lang"] == path.split("/")[0]


def test_nothing_on_a_page_needs_a_script_or_the_network(files: Mapping[str, str]) -> None:
    for path, page in pages(files).items():
        assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "img"}, path
        for tag, attributes in page.elements:
            assert not [name for name in attributes if name.startswith("on") or name == "src"], path
            assert tag != "link" or not attributes["href"].startswith("http"), path


def hostile(publication: Publication) -> Publication:
    """The publication with hostile text wherever a text can stand, some of it such as no reader lets in."""
    text = Bilingual.model_construct(ko=HOSTILE, en=HOSTILE)
    about, history = publication.about, publication.history
    sources = tuple(each.model_copy(update={"title": text, "url": "javascript:alert(1)"}) for each in about.sources)
    documents = tuple(
        document.model_copy(
            update={
                "title": text,
                "clauses": tuple(
                    clause.model_copy(update={"text": text, **({"title": text} if hasattr(clause, "title") else {})})
                    for clause in document.clauses
                ),
            }
        )
        for document in history.documents
    )
    acts = {
        index: act.model_copy(
            update={"note": text, **({"name": text, "lead": text} if isinstance(act, Application) else {})}
        )
        for index, act in publication.acts.items()
    }
    return replace(
        publication,
        about=about.model_copy(update={"title": text, "summary": text, "sources": sources}),
        history=replace(history, documents=documents),
        acts=acts,
    )


def test_hostile_text_stays_text(real: Publication) -> None:
    for path, page in pages(site(hostile(real))).items():
        tags = {tag for tag, _ in page.elements}
        assert "script" not in tags, path
        assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes), path
        assert not any(link.startswith("javascript:") for link in page.links), path
        assert not path.endswith("/index.html") or HOSTILE in page.text


def test_the_same_publication_gives_the_same_bytes_under_any_hash_seed(real: Publication, tmp_path: Path) -> None:
    (tmp_path / "publication").write_bytes(pickle.dumps(real))
    program = (
        "import hashlib, pickle, sys; from dokja.report.site import site;"
        "files = site(pickle.load(open(sys.argv[1], 'rb')));"
        "print(hashlib.sha256(repr(list(files.items())).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "publication")],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LANG": "C"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "America/New_York"))
    }
    assert len(digests) == 1


def test_the_folder_holds_the_new_site_and_nothing_of_the_old_one(
    complete: Publication, whole: Mapping[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "old.html").write_text("old")
    write_site(complete, folder, {"outcome.json": "{}\n"})
    assert not (folder / "old.html").exists()
    assert (folder / "outcome.json").read_text() == "{}\n"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        *whole,
        "outcome.json",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_write_that_fails_leaves_the_old_site_as_it_was(complete: Publication, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_site(complete, folder, {"outcome.json": "first"})
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(OSError, match="index"):
        write_site(complete, folder, {"index.html/inside": "a file is no folder"})
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
