"""`docs/signing.md` as a reader follows it: every block is run, in order, and both verifiers take the bundle."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "signing.md").read_text(encoding="utf-8")


def test_every_block_runs_and_the_bundle_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, module in (("dokja", "-m dokja "), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n', encoding="utf-8")
        (tools / name).chmod(0o755)
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "DOKJA_PASSPHRASE": "correct horse battery staple",
        "DOKJA_SOURCE": str(ROOT),
    }
    said = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "\nValid.\n5 acts. Root " in said.stdout
    assert said.stdout.rstrip().splitlines()[-1].startswith("OK: nothing is wrong.")
