"""Python's collector of cycles, told that little here is a cycle.

It walks over what lives whenever some hundred objects more are alive than before. Rows come by the million, and
none of them is part of a cycle: a tenth of a large run was spent on looking for some.
"""

import gc

_MORE_ALIVE = 100_000
"""Objects more than before, some ten mebibytes, at which the collector looks again."""


def collect_rarely() -> None:
    """Let the collector pass over what is loaded by now, and look far less often at what is made from now on."""
    gc.freeze()
    gc.set_threshold(_MORE_ALIVE, *gc.get_threshold()[1:])
