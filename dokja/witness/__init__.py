"""Witnesses (C2SP tlog-witness): whoever remembers the last checkpoint of a log, and signs none that contradicts it.

A witness needs no programme and no rulebook. `witness` decides, `memory` keeps what was signed, `serving` is the HTTP
face, `folder` cosigns what lies on a disk; `asking` is the other side, the office that collects cosignatures.
"""

from dokja.witness.asking import Asked, ask_all
from dokja.witness.folder import cosign_folder
from dokja.witness.memory import Memory, Seen
from dokja.witness.serving import Server
from dokja.witness.witness import Answer, Witness

__all__ = ["Answer", "Asked", "Memory", "Seen", "Server", "Witness", "ask_all", "cosign_folder"]
