"""The arrays that the audit counts with: NumPy's, or those of any library that follows the array API standard.

The statistics name no library. They ask an array for its namespace and use what the standard has
(https://data-apis.org/array-api/2024.12); array-api-compat lends it to libraries that follow it by halves. Weights
are read and decoded by NumPy, `Arrays.put` takes them to where they are multiplied, and what was counted comes back
by `host`: labels, partners and sums are NumPy's everywhere.

Products of float32 are products of float32 on every device: the shorter formats that graphics processors multiply
faster (TF32) would turn ties into matches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from dokja.errors import DeviceError, Problem

CPU: Final = "cpu"
FEEDING: Final = 2
"""Workers that give a device its work."""
LEAST_TORCH: Final = "2.9"
"""The first PyTorch that says by one setting what products of float32 are made of."""
DEVICES: Final = re.compile(r"cpu|cuda(:[0-9]{1,3})?", re.ASCII)

Namespace = Any
"""A module with the functions of the standard."""

ArrayOf = TypeVar("ArrayOf", bound=NDArray[Any])


@dataclass(frozen=True)
class Arrays:
    """A namespace of the array API standard, and the device that holds its arrays (`None`: where they begin).

    name: what an audit says it was counted on; it tells these arrays from others. exact: within it, products of
    float32 are not made of shorter numbers. workers: so many threads at most give them work; more would wait for
    Python's lock for longer than they work. Of 16 cores two took 2.8 s for a pair of 1 GiB, four 2.9, eight 5.2; on a
    device, whose steps are shorter, two took 3.1 s, four 4.1, eight 8.1.
    """

    name: str = CPU
    namespace: Namespace = np
    device: Any = field(default=None, compare=False)
    exact: Callable[[], AbstractContextManager[None]] = field(default=nullcontext, compare=False)
    workers: int = 4

    def put(self, array: ArrayOf) -> ArrayOf:
        """An array of NumPy's as one of these. Typed as NumPy's, which all of them are used like."""
        if self.namespace is np:
            return array
        writable = array if array.flags.writeable else array.copy()
        return self.namespace.asarray(np.ascontiguousarray(writable), device=self.device)  # type: ignore[no-any-return]

    def zeros(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """So many zeros, of float32."""
        if self.namespace is np:
            return np.zeros(shape, dtype=np.float32)
        return self.namespace.zeros(shape, dtype=self.namespace.float32, device=self.device)  # type: ignore[no-any-return]


NUMPY: Final = Arrays()


def namespace_of(array: object) -> Namespace:
    """The namespace whose functions take this array."""
    if isinstance(array, np.ndarray):
        return np
    if type(array) not in _KNOWN:
        _KNOWN[type(array)] = _compat().array_namespace(array)
    return _KNOWN[type(array)]


_KNOWN: Final[dict[type, Namespace]] = {}
"""To find out takes longer than many a step on the array itself."""


def like(array: ArrayOf, other: object) -> ArrayOf:
    """An array of NumPy's, where another array is."""
    if isinstance(other, np.ndarray):
        return array
    return Arrays("", namespace_of(other), _compat().device(other)).put(array)


def host(array: object) -> NDArray[Any]:
    """An array as NumPy's."""
    if isinstance(array, np.ndarray):
        return array
    compat, xp = _compat(), namespace_of(array)
    own = xp.Device("CPU_DEVICE") if compat.is_array_api_strict_namespace(xp) else CPU
    return np.asarray(compat.to_device(array, own))


def hosts(*arrays: NDArray[Any]) -> Sequence[NDArray[Any]]:
    """Arrays of one shape and one type as NumPy's, brought over together: each way from a device takes its time."""
    if isinstance(arrays[0], np.ndarray):
        return arrays
    return host(namespace_of(arrays[0]).stack(arrays))


def digest(arrays: Iterable[object]) -> bytes:
    """SHA-256 of the bytes of some arrays, one after the other: what tells one model's from another's."""
    found = sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(host(array)).data)
    return found.digest()


def taken(array: ArrayOf, places: NDArray[np.int64], axis: int = 0) -> ArrayOf:
    """What stands at these places of an axis."""
    return namespace_of(array).take(array, like(places, array), axis=axis)  # type: ignore[no-any-return]


def row_products(left: ArrayOf, right: ArrayOf) -> ArrayOf:
    """The inner product of each row of one matrix with the same row of the other."""
    if isinstance(left, np.ndarray):
        found: ArrayOf = np.einsum("ij,ij->i", left, right)  # `vecdot` rounds otherwise than all figures so far.
        return found
    return namespace_of(left).sum(left * right, axis=1)  # type: ignore[no-any-return]


def counts(array: NDArray[np.bool_], axis: int) -> NDArray[np.int64]:
    """How many are true along an axis of a matrix, as NumPy's: along 0 of each column, along 1 of each row."""
    if isinstance(array, np.ndarray):  # Few are: to find them takes less than to add up all.
        rows, columns = np.divmod(np.flatnonzero(array), array.shape[1])
        return np.bincount(rows if axis else columns, minlength=array.shape[1 - axis])
    return host(namespace_of(array).count_nonzero(array, axis=axis))


def where_true(array: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The places of an array in one row at which it is true, as NumPy's."""
    if isinstance(array, np.ndarray):
        return np.flatnonzero(array)
    xp = namespace_of(array)
    return host(xp.nonzero(xp.reshape(array, (-1,)))[0])


def arrays_on(device: str | Arrays) -> Arrays:
    """The arrays of a device: `cpu` (NumPy's), `cuda` or `cuda:1` (PyTorch's; CuPy's where PyTorch is not installed).

    Arrays of another library that follows the standard may be given themselves. Raises `DeviceError` where there is
    no such device, or nothing to use it with.
    """
    if isinstance(device, Arrays):
        return device
    if not DEVICES.fullmatch(device):
        raise DeviceError(
            Problem(
                "audit-device-unknown",
                "“{device}” is no device that an audit can count on.",
                "Name cpu, cuda, or a graphics processor by its number, such as cuda:1.",
                values={"device": device},
            )
        )
    if device == CPU:
        return NUMPY
    number = int(device.partition(":")[2] or 0)
    for library, made in LIBRARIES.items():
        try:
            found = made(number)
        except ModuleNotFoundError as missing:
            if missing.name not in {library, "array_api_compat"}:
                raise
            continue
        if found is None:
            raise DeviceError(
                Problem(
                    "audit-device-absent",
                    "{library} finds no graphics processor {number} here.",
                    "Leave --device out, or give the driver, and a build of {library} that can use it.",
                    values={"library": library, "number": str(number)},
                )
            )
        return found
    raise DeviceError(
        Problem(
            "audit-device-library",
            "Nothing is installed that could use {device}.",
            "Install dokja[gpu], or array-api-compat beside the PyTorch or CuPy that is there.",
            values={"device": device},
        )
    )


def _torch(number: int) -> Arrays | None:
    import array_api_compat.torch as xp  # noqa: PLC0415  (seconds to import)
    import torch  # noqa: PLC0415

    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        raise DeviceError(
            Problem(
                "audit-device-old",
                "PyTorch {version} cannot be told to multiply float32 exactly.",
                "Install PyTorch {least} or newer.",
                values={"version": torch.__version__, "least": LEAST_TORCH},
            )
        )

    @contextmanager
    def exact() -> Iterator[None]:
        products = torch.backends.cuda.matmul
        before = products.fp32_precision
        products.fp32_precision = "ieee"
        try:
            yield
        finally:
            products.fp32_precision = before

    if number >= torch.cuda.device_count():
        return None
    name = _name(number, torch.cuda.get_device_name(number), f"torch {torch.__version__}")
    return Arrays(name, xp, torch.device("cuda", number), exact, FEEDING)


def _cupy(number: int) -> Arrays | None:
    import array_api_compat.cupy as xp  # noqa: PLC0415
    import cupy  # noqa: PLC0415
    from cupy._core import get_compute_type, set_compute_type  # noqa: PLC0415  (nothing public reads the setting)
    from cupy._core._routines_linalg import COMPUTE_TYPE_DEFAULT  # noqa: PLC0415

    @contextmanager
    def exact() -> Iterator[None]:
        before = get_compute_type(np.float32)
        set_compute_type(np.float32, COMPUTE_TYPE_DEFAULT)
        try:
            yield
        finally:
            set_compute_type(np.float32, before)

    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        return None
    if number >= count:
        return None
    card = cupy.cuda.runtime.getDeviceProperties(number)["name"].decode()
    return Arrays(_name(number, card, f"cupy {cupy.__version__}"), xp, cupy.cuda.Device(number), exact, FEEDING)


def _name(number: int, card: str, library: str) -> str:
    return f"cuda:{number} ({card}), {library}"


LIBRARIES: Final[Mapping[str, Callable[[int], Arrays | None]]] = {"torch": _torch, "cupy": _cupy}


def _compat() -> Namespace:
    import array_api_compat  # noqa: PLC0415  (only other arrays than NumPy's need it)

    return array_api_compat
