"""A PostgreSQL server of the tests' own: in a folder of its own, on a free port, never run by root.

It keeps what it commits (nothing is switched off), so that it may be killed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

PATIENCE = 60.0


def binaries() -> Path | None:
    """Where Debian keeps the newest server's programs, or else the shell finds them."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: float(file.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which("postgres")
    return Path(found).parent if found else None


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as; `None` where we are not root already."""
    if os.geteuid() != 0:
        return None
    accounts = {each.pw_name: each for each in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


@dataclass
class Server:
    """A server; its folder must be one that its account can reach."""

    folder: Path
    programs: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    schemas: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        account = _account()
        self.as_whom: dict[str, Any] = (
            {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        )
        if account:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        made = [
            str(self.programs / "initdb"),
            "-D",
            str(self.data),
            "-U",
            "dokja",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run([*made, "--locale=C"], check=True, capture_output=True, cwd=self.folder, **self.as_whom)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def address(self) -> str:
        return f"dokja@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, also after it was killed, and wait until it answers."""
        options = ["-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [str(self.programs / "postgres"), *options],
            stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self.as_whom,
        )  # fmt: skip
        log.close()
        until = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(f"postgresql://{self.address}").close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """Kill the server and all its processes, as a power cut would end them."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Stop it at once; its folder is thrown away anyway."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def ask_for_password(self, user: str, password: str) -> None:
        """Make a user, with all rights, who must name a password."""
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{rules.read_text(encoding='utf-8')}", "utf-8")
        with psycopg.connect(f"postgresql://{self.address}", autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}'")
            connection.execute("SELECT pg_reload_conf()")

    def new(self) -> str:
        """The URL of an empty schema."""
        schema = f"t{next(self.schemas)}"
        with psycopg.connect(f"postgresql://{self.address}", autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        return f"postgresql+psycopg://{self.address}?options=-csearch_path%3D{schema}"
