import fcntl
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from streams import jars
from streams.embedded import EmbeddedKafka
from streams.errors import EmbeddedKafkaError
from streams.java import ClassArchive, find_java, major_version

# as stages run: where processes share few cores, the threads of BLAS burn them waiting for each other
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", max_examples=50, deadline=None, suppress_health_check=SLOW)
settings.register_profile("soak", max_examples=2_000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def kafka_jars(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give the broker's jars with their class archive, which only a broker that ends can make for those after it."""
    with (tmp_path_factory.getbasetemp().parent / "jars.lock").open("w") as lock:  # one worker makes it for all
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            found = jars.fetch(Path.home() / ".cache" / "ballast" / "jars")
        except EmbeddedKafkaError as error:
            pytest.skip(str(error))
        java = find_java(None)
        if not ClassArchive(java, major_version(java), found).used:
            with EmbeddedKafka(data_dir=tmp_path_factory.mktemp("archive"), jars=found, java=java, quick=True):
                pass
    return found


@pytest.fixture(scope="session")
def bootstrap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of one real broker for the whole run."""
    if given := os.environ.get("BALLAST_KAFKA_BOOTSTRAP"):
        yield given
        return
    found, folder = request.getfixturevalue("kafka_jars"), tmp_path_factory.mktemp("kafka")
    with EmbeddedKafka(data_dir=folder, jars=found, java=find_java(None), quick=True) as kafka:
        yield kafka.start()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Make names that no other test has: topics, groups and transactional ids outlive a test."""
    ending = uuid.uuid4().hex[:8]
    return lambda word: f"{word}-{ending}"
