"""Pages of single acts: the proof on the page leads from the act's bytes to the root, by hand and by others' code."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from dokja.programme import Programme, open_programme
from dokja.programme.publishing import publish
from dokja.record import ACT, open_record
from dokja.record.transparency import check_proof, read_policy
from dokja.record.transparency.signing import sign_checkpoint, snapshot
from dokja.report.site import site
from tests.record.transparency.at_hand import OFFICE
from tests.verify.build import POLICY, Small, act, decision
from verifier import dokja_verify as second

LANGUAGES = {"ko": ("왼쪽", "오른쪽"), "en": ("on the left", "on the right")}
SIGNED = 7


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    """Nine acts, seven of them signed."""
    small = Small(tmp_path_factory.mktemp("acts") / "mine")
    small.add(decision())
    small.bundle()
    made = open_programme(small.folder)
    said = act("statement", "said", "2027-09-01T09:00:00", note={"ko": "<b>말</b>", "en": "<b>a word</b>"})
    with open_record(made.record_at) as record:
        record.append([ACT.validate_python(said), ACT.validate_python({**said, "id": "said-2"})])
    return made


@pytest.fixture(scope="module")
def files(programme: Programme) -> dict[str, str]:
    with open_record(programme.record_at, create=False) as record:
        return dict(site(publish(programme, record, (), proofs=True)))


def test_every_act_has_its_page_in_both_languages_and_its_bytes(files: dict[str, str]) -> None:
    for index in range(SIGNED + 2):
        for language in LANGUAGES:
            assert f'href="act-{index}.html"' in files[f"{language}/record.html"]
            assert f"../acts/{index}.json" in files[f"{language}/act-{index}.html"]
        assert (f"acts/{index}.tlog-proof" in files) == (index < SIGNED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_path_on_the_page_leads_to_the_root(files: dict[str, str], language: str) -> None:
    """As somebody would compute it who has nothing but the page."""
    left, right = LANGUAGES[language]
    for index in range(SIGNED + 2):
        page = files[f"{language}/act-{index}.html"]
        leaf, root = re.findall(r'<dd><code class="hash">([0-9a-f]{64})</code></dd>', page)[:2]
        reached = sha256(b"\x00" + files[f"acts/{index}.json"].encode()).digest()
        assert reached.hex() == leaf
        steps = re.findall(r'<td>([^<]+)</td><td><code class="hash">([0-9a-f]{64})</code>', page)
        assert {side for side, _ in steps} <= {left, right}
        for side, each in steps:
            beside = bytes.fromhex(each)
            reached = sha256(b"\x01" + (beside + reached if side == left else reached + beside)).digest()
        assert reached.hex() == root


def test_the_saved_proof_is_accepted_by_both_verifiers(files: dict[str, str]) -> None:
    for index in range(SIGNED):
        proof, body = files[f"acts/{index}.tlog-proof"].encode(), files[f"acts/{index}.json"].encode()
        assert check_proof(proof, body, read_policy(POLICY)).size == SIGNED
        assert second.verify_proof(proof, body, POLICY) == []
        assert second.verify_proof(proof, body.replace(b'"who"', b'"whp"'), POLICY) != []


def test_what_an_act_says_is_escaped(files: dict[str, str]) -> None:
    for language in LANGUAGES:
        assert "<b>" not in files[f"{language}/act-{SIGNED}.html"]
        assert "&lt;b&gt;" in files[f"{language}/act-{SIGNED}.html"]


def test_an_unsigned_record_has_paths_and_no_proof_files(tmp_path: Path) -> None:
    small = Small(tmp_path / "mine")
    programme = open_programme(small.folder)
    with open_record(programme.record_at) as record:
        record.append(ACT.validate_python(each) for each in small.acts)
        files = site(publish(programme, record, (), proofs=True))
        assert not [path for path in files if path.endswith(".tlog-proof")]
        assert "No signed checkpoint holds it yet." in files["en/act-2.html"]
        sign_checkpoint(programme.log_folder, snapshot(record), OFFICE)
        assert "acts/2.tlog-proof" in site(publish(programme, record, (), proofs=True))
