"""A time-stamping authority on this machine: `openssl ts -reply` behind HTTP on the loopback."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {cn}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa_cert]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = authority
[authority]
dir = {folder}
serial = $dir/serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Its keys and certificates, made in a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "serial").write_text("01\n", encoding="ascii")
        self.config = folder / "config"
        self.root = folder / "root.pem"
        self._write(f"{name} root")
        new = ("-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30", "-config", self.config)
        self.openssl("req", "-x509", *new, "-extensions", "root", "-keyout", folder / "root.key", "-out", self.root)
        self._write(name)
        self.openssl("req", *new, "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr")
        self.openssl(
            "x509", "-req", "-in", folder / "tsa.csr", "-CA", self.root, "-CAkey", folder / "root.key",
            "-CAcreateserial", "-days", "30", "-sha256", "-extfile", self.config, "-extensions", "tsa_cert",
            "-out", folder / "tsa.pem",
        )  # fmt: skip

    def _write(self, name: str) -> None:
        self.config.write_text(CONFIG.format(cn=name, folder=self.folder), encoding="ascii")

    def openssl(self, *words: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True)

    def reply(self, request: bytes) -> bytes:
        """The answer to a request, as the authority's own program makes it."""
        asked, said = self.folder / "request", self.folder / "reply"
        asked.write_bytes(request)
        self.openssl("ts", "-reply", "-queryfile", asked, "-config", self.config, "-out", said)
        return said.read_bytes()

    def accepts(self, text: Path, token: Path) -> bool:
        """Whether `openssl ts -verify` does."""
        words = ("ts", "-verify", "-data", text, "-in", token, "-CAfile", self.root)
        return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=False).returncode == 0

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address, while it answers."""
        answers: dict[str, Callable[[bytes], bytes]] = {
            "/": self.reply,
            "/rubbish": lambda _: b"rubbish",
            "/long": lambda _: bytes(2_000_000),
            "/other": lambda _: self.reply(self.query(b"another text\n")),
        }

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answers[self.path](data))

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Answers)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def query(self, data: bytes) -> bytes:
        """A request over some bytes."""
        text, asked = self.folder / "text", self.folder / "query"
        text.write_bytes(data)
        self.openssl("ts", "-query", "-data", text, "-sha256", "-cert", "-out", asked)
        return asked.read_bytes()
