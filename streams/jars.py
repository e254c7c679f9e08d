"""Fetches the broker's jars: reads `jars.txt` (pinned by version and SHA-256), writes them into a cache folder.

The list is pinned whole because a transitive resolution may pick other versions from one day to the next.
"""

import errno
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from streams.errors import EmbeddedKafkaError

PINNED = Path(__file__).with_name("jars.txt")

Resolver = Callable[[str, str, str], Path]  # group, artifact, version -> a file that the resolver keeps or gives away
Progress = Callable[[int, int], None]  # jars done, jars in all

_MARKER = "verified.txt"


@dataclass(frozen=True, slots=True)
class _Pin:
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def fetch(
    cache: Path, *, progress: Progress | None = None, resolver: Resolver | None = None, pinned: Path = PINNED
) -> list[Path]:
    """Return the path of every pinned jar in `cache`, downloading what is not there yet.

    Blocks while it downloads (44 MB). Raises EmbeddedKafkaError for no network, a wrong checksum or no room.
    """
    text = pinned.read_text(encoding="utf-8")
    pins = [_pin(line) for line in text.splitlines() if line.strip()]
    paths = [cache / pin.file_name for pin in pins]
    if _is_verified(cache, text, paths):
        return paths
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _complete(cache, pins, progress, resolver)
        _replace(cache / _MARKER, _stamp(text, paths).encode())
    except OSError as error:
        raise EmbeddedKafkaError(_cache_trouble(cache, error)) from error
    return paths


def _pin(line: str) -> _Pin:
    coordinates, sha256 = line.split()
    group, artifact, version = coordinates.split(":")
    return _Pin(group, artifact, version, sha256)


def _stamp(text: str, paths: list[Path]) -> str:
    """Describe the list and the files by name and size; raises OSError if one is away."""
    listed = hashlib.sha256(text.encode()).hexdigest()
    return "\n".join([listed, *(f"{path.name} {path.stat().st_size}" for path in paths)])


def _is_verified(cache: Path, text: str, paths: list[Path]) -> bool:
    """Tell cheaply whether all were verified before and none is gone or cut short since."""
    with suppress(OSError):
        return (cache / _MARKER).read_text(encoding="utf-8") == _stamp(text, paths)
    return False


def _complete(cache: Path, pins: list[_Pin], progress: Progress | None, resolver: Resolver | None) -> None:
    with _downloads(cache) if resolver is None else _given(resolver) as resolve:
        for done, pin in enumerate(pins, start=1):
            target = cache / pin.file_name
            if not target.exists() or _sha256(target) != pin.sha256:
                _arrive(pin, resolve, target)
            if progress:
                progress(done, len(pins))


@contextmanager
def _given(resolver: Resolver) -> Iterator[Resolver]:
    yield resolver


@contextmanager
def _downloads(cache: Path) -> Iterator[Resolver]:
    """Yield jgo's resolver on a folder of its own: it trusts a half-written file that another process left."""
    from jgo.maven import MavenContext  # noqa: PLC0415 - half a second, needed only once per machine

    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as folder:
        maven = MavenContext(repo_cache=Path(folder), timeout=30)

        def resolve(group: str, artifact: str, version: str) -> Path:
            found: Path = maven.project(group, artifact).at_version(version).artifact().resolve()
            return found

        yield resolve


def _arrive(pin: _Pin, resolve: Resolver, target: Path) -> None:
    """Put one jar in place once its bytes are the pinned ones."""
    try:
        source = resolve(pin.group, pin.artifact, pin.version)
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise EmbeddedKafkaError(
            f"{pin.file_name} could not be downloaded ({type(error).__name__}); check the network and run again, "
            f"or copy the jars that streams/jars.txt lists into {target.parent}"
        ) from error
    content = source.read_bytes()
    if hashlib.sha256(content).hexdigest() != pin.sha256:
        target.unlink(missing_ok=True)
        raise EmbeddedKafkaError(
            f"{pin.file_name} from {source} does not have the SHA-256 that streams/jars.txt pins, so it was not "
            f"put into {target.parent}; run again, and if it comes back, ask what changes your downloads"
        )
    _replace(target, content)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace(target: Path, content: bytes) -> None:
    """Write a file so that others see all of it or none."""
    part = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _cache_trouble(cache: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk of {cache} is full and the broker's jars need 44 MB; free some room"
    return f"The folder {cache} for the broker's jars cannot be used ({error.strerror}); make it writable"
