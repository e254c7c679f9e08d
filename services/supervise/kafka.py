"""Which Kafka a pipeline uses: the user's own if BALLAST_KAFKA_BOOTSTRAP is set, else an embedded one on its folder."""

from pathlib import Path

from services.settings import Settings
from streams.embedded import EmbeddedKafka
from streams.jars import Progress, fetch
from streams.java import find_java


def embedded(settings: Settings, folder: Path, progress: Progress | None = None) -> EmbeddedKafka:
    """Return the broker of a state folder, not started; fetches the jars where they are not there yet.

    Raises EmbeddedKafkaError.
    """
    java = find_java(settings.java_home)
    return EmbeddedKafka(data_dir=folder / "kafka", jars=fetch(settings.cache / "jars", progress=progress), java=java)
