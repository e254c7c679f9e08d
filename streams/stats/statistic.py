"""What every statistic is, and how its state becomes bytes and bytes its state again."""

import json
import zlib
from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.errors import DecodeError

State = Mapping[str, NDArray[Any]]
_LENGTH_BYTES = 4

X_contra = TypeVar("X_contra", contravariant=True)


class Statistic(Protocol[X_contra]):
    """A summary of documents. What was not fitted beforehand is its state, and nothing else.

    Two that were made with the same arguments can be merged: the result is that of one which saw both parts, exactly
    or within the error that its docstring states. Neither call blocks.
    """

    def update(self, batch: X_contra) -> None:
        """Take a batch of documents in."""

    def merge(self, other: Self) -> None:
        """Take in what another has seen, and leave the other as it is."""

    def get(self) -> Mapping[str, float]:
        """Return the values by name; NaN where there is too little to say."""

    def state(self) -> State:
        """Return everything that `restore` needs."""

    def restore(self, state: State) -> None:
        """Become what returned this state; both were made with the same arguments."""


def pack(state: State) -> bytes:
    """Return a state as bytes; equal states give equal bytes."""
    arrays = {key: np.asarray(state[key], order="C") for key in sorted(state)}
    head = json.dumps([(key, array.dtype.str, array.shape) for key, array in arrays.items()]).encode()
    body = b"".join(array.tobytes() for array in arrays.values())
    return zlib.compress(len(head).to_bytes(_LENGTH_BYTES, "little") + head + body, 1)


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the state that was packed; raises DecodeError if it is none."""
    try:
        whole = zlib.decompress(data)
        start = _LENGTH_BYTES + int.from_bytes(whole[:_LENGTH_BYTES], "little")
        state = {}
        for key, dtype, shape in json.loads(whole[_LENGTH_BYTES:start]):
            array = np.frombuffer(whole, dtype, int(np.prod(shape)), start).reshape(shape)
            state[key] = array.copy()
            start += array.nbytes
    except (zlib.error, ValueError, TypeError) as error:
        raise DecodeError(f"These {len(data)} bytes are no statistic's state: {error}") from error
    return state
