"""A process that appends to a record, one act a transaction, and says each index once it is acknowledged.

    python -m tests.record.writer FILE-OR-URL NAME COUNT [LARGEST]

LARGEST: the size in bytes that no file of this process may pass, as on a disk that is full.
"""

from __future__ import annotations

import resource
import signal
import sys

from dokja.errors import RecordError
from dokja.record import ACT, open_record
from tests.record.at_hand import statement


def main(file: str, name: str, count: str, largest: str = "") -> None:
    if largest:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))
    with open_record(file, patience=60) as record:
        _say("open")
        for number in range(int(count)):
            tree = statement(number).model_dump(mode="json", exclude_none=True) | {"id": f"{name}-{number}"}
            try:
                indexes = record.append([ACT.validate_python(tree)])
            except RecordError as error:
                _say(error.problems[0].code)
                return
            _say(f"{name}-{number} {indexes.start}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
