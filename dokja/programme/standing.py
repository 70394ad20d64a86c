"""How far a programme's record is signed and witnessed: its last checkpoint, held against the programme's policy."""

from __future__ import annotations

from dokja.errors import Place, Problem, RecordError
from dokja.programme.folder import Programme
from dokja.record.transparency import RefusedError, read_policy
from dokja.record.transparency.policy import LARGEST_POLICY
from dokja.record.transparency.signing import last_checkpoint
from dokja.report.publication import Signed


def signed(programme: Programme) -> Signed | None:
    """The last checkpoint and who cosigned it; `None` where nothing has been signed. Raises `RecordError`."""
    try:
        last = last_checkpoint(programme.log_folder)
        if last is None:
            return None
        data, checkpoint = last
        if not programme.policy_file.is_file():
            return Signed(checkpoint.origin, checkpoint.size)
        with programme.policy_file.open("rb") as stream:
            policy = read_policy(stream.read(LARGEST_POLICY + 1))
        times = policy.signed(data).times
    except RefusedError as error:
        raise RecordError(
            Problem(
                error.code,
                error.meaning,
                "Hold the last checkpoint and the policy side by side ({detail}).",
                Place(programme.policy_file),
                {"detail": error.detail or "–"},
            )
        ) from error
    names = tuple(sorted(name.decode("utf-8", "backslashreplace") for name in times))
    enough = policy.met(frozenset(times)) if policy.asks else None
    return Signed(checkpoint.origin, checkpoint.size, names, len(policy.witnesses), enough, policy.clock(times))
