"""The embedded broker's place on 127.0.0.1: free ports, its properties, and whether it answers."""

import errno
import secrets
import socket
import struct
from collections.abc import Mapping

from streams.errors import EmbeddedKafkaError

HOST = "127.0.0.1"
_PORTS = range(
    20_000, 32_000
)  # below what systems hand to clients: a client must not sit on a restarting broker's port
_METADATA_V1 = struct.pack(">hhih1si", 3, 1, 1, 1, b"b", 0)  # key, version, correlation, client id, no topics
_TRIES = 100

# Each differs from the default for a reason: one broker only, a quick start, and positions that are never forgotten.
_FIXED = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": "log",  # in the working folder, so that no character of its path needs escaping
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.retention.minutes": "2147483647",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.max.timeout.ms": "900000",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "broker.session.timeout.ms": "2000",  # how long a start after a crash waits for the dead broker's registration
    "broker.heartbeat.interval.ms": "500",
    "num.io.threads": "2",
    "log.cleaner.dedupe.buffer.size": "8388608",
}


def properties(port: int, controller_port: int, options: Mapping[str, str]) -> str:
    """Return the broker's properties file; `options` win."""
    places = {
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
    }
    return "".join(f"{name}={value}\n" for name, value in {**_FIXED, **places, **options}.items())


def free_port(but: int | None = None) -> int:
    """Return a port, not this one, that was free a moment ago; raises EmbeddedKafkaError if a hundred are taken."""
    for _ in range(_TRIES):
        port = secrets.choice(_PORTS)
        if port != but and is_free(port):
            return port
    raise EmbeddedKafkaError(f"No free port was found between {_PORTS.start} and {_PORTS.stop}; stop what holds them")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: a closed connection holds no port
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise EmbeddedKafkaError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}); choose another one"
            ) from error
    return True


def answers(port: int, seconds: float) -> bool:
    """Tell whether a broker is there and counts itself alive; blocks for at most about `seconds`."""
    try:
        with socket.create_connection((HOST, port), seconds) as connection:
            connection.sendall(struct.pack(">i", len(_METADATA_V1)) + _METADATA_V1)
            with connection.makefile("rb") as stream:
                answer = stream.read(12)  # length, correlation, number of live brokers
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] > 0  # noqa: PLR2004
