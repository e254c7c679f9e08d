"""Serves the metrics of one process; its lag is asked of the broker at every scrape, so a stuck stage shows one too."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from prometheus_client import start_http_server

from services import pipeline
from services.stage import Context
from streams.broker import Broker
from streams.errors import BrokerError, UnavailableError
from streams.kafka import KafkaBroker
from streams.lag import behind
from streams.metrics import Metrics
from streams.processor import Wiring
from streams.topics import group, name, word_of

_TIMEOUT = 2.0  # three requests end within Prometheus' 10 s, so that a dead broker does not make a stage look dead


def export(parts: Context, bootstrap: str, stage: str, port: int) -> Callable[[], None]:
    """Serve /metrics on a port, from a thread that ends with the process or by what is returned."""
    parts.metrics.set("build_info", 1, version("ballast"), parts.recipe.version)
    if (wiring := pipeline.wiring(stage)) is not None:
        broker = KafkaBroker(bootstrap, _TIMEOUT)
        parts.metrics.before_scrape(partial(note_lag, parts.metrics, broker, parts.pipeline, wiring))
    server, thread = start_http_server(port, registry=parts.metrics.registry)

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    return stop


def note_lag(metrics: Metrics, broker: Broker, pipeline_name: str, wiring: Wiring) -> None:
    """Set the lag of a stage's group; without an answer it stays as it was. Blocks."""
    topics = [name(pipeline_name, word) for word in (*wiring.inputs, f"redo.{wiring.stage}")]
    try:
        committed = broker.committed(group(pipeline_name, wiring.stage))
        lags = behind(broker, topics, {at: position.offset for at, position in committed.items()})
    except (BrokerError, UnavailableError):
        return
    for at, lag in lags.items():
        word = word_of(pipeline_name, at.topic)
        metrics.set("consumer_lag_records", lag, wiring.stage, word, str(at.partition))
