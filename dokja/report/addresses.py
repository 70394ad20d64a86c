"""Where everything stands in the site: file names and anchors, the same in both languages.

Ids hold neither two dots in a row nor a dot at an end (`values.Id`), which is what keeps joined names apart.
"""

from __future__ import annotations

from urllib.parse import urlsplit

INDEX, RULEBOOK, RECORD, STYLE = "index.html", "rulebook.html", "record.html", "style.css"


def stage_page(stage: str) -> str:
    """The page of a stage; a stage whose id does not say so is called one."""
    return f"{stage}.html" if stage.startswith("stage-") else f"stage.{stage}.html"


def team_page(team: str) -> str:
    """The page of a team."""
    return f"team-{team}.html"


def trace_page(stage: str) -> str:
    """The page that traces every number of a stage."""
    return f"trace-{stage}.html"


def number_anchor(team: str, measure: str) -> str:
    """The anchor of a team's value of a measure."""
    joint = ".." if "." in team + measure else "."
    return f"{team}{joint}{measure}"


def trace(stage: str, team: str, measure: str) -> str:
    """Where a number is traced."""
    return f"{trace_page(stage)}#{number_anchor(team, measure)}"


def act_anchor(index: int) -> str:
    """The anchor of an act."""
    return f"act-{index}"


def act(index: int) -> str:
    """Where an act stands."""
    return f"{RECORD}#{act_anchor(index)}"


def act_page(index: int) -> str:
    """The page of an act with its proof."""
    return f"act-{index}.html"


def act_bytes(index: int) -> str:
    """The file of an act's canonical bytes, beside the pages of both languages."""
    return f"acts/{index}.json"


def act_proof(index: int) -> str:
    """The file of an act's proof."""
    return f"acts/{index}.tlog-proof"


def source_anchor(source: str) -> str:
    """The anchor of a source."""
    return f"source-{source}"


def source(identifier: str) -> str:
    """Where a source stands."""
    return f"{RECORD}#{source_anchor(identifier)}"


def document_anchor(number: int) -> str:
    """The anchor of a document of the rulebook."""
    return f"document-{number}"


def clause_anchor(number: int, clause: str) -> str:
    """The anchor of a clause as a document has it."""
    return f"document-{number}.{clause}"


def clause(number: int, identifier: str) -> str:
    """Where a clause stands as a document has it."""
    return f"{RULEBOOK}#{clause_anchor(number, identifier)}"


def outside(url: str | None) -> str | None:
    """An address of the web that may become a link: http or https, with a host; anything else stays text."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None
