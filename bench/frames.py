"""Encoded events in a file, so that one measured process can take what another has made."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

_LENGTH_BYTES = 4


def write(file: BinaryIO, frames: Iterable[bytes]) -> None:
    """Append frames, each after its length."""
    file.writelines(len(frame).to_bytes(_LENGTH_BYTES, "little") + frame for frame in frames)


def read(path: Path) -> Iterator[bytes]:
    """Yield the frames in order."""
    with path.open("rb") as file:
        while head := file.read(_LENGTH_BYTES):
            yield file.read(int.from_bytes(head, "little"))
