"""What an error of librdkafka means for us: decided here once, so that every call has the same consequences.

librdkafka has no KIP-890: a transaction call that timed out may still be carried out later, so it is never repeated.
"""

from typing import cast

from confluent_kafka import KafkaError, KafkaException

from streams.errors import AbortableError, BallastError, FatalError, OffsetsLostError, RetriableError, UnavailableError

_AWAY = (
    KafkaError._TRANSPORT,  # noqa: SLF001 - librdkafka's own codes start with an underscore
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._MSG_TIMED_OUT,  # noqa: SLF001
)
_PASSING = (
    *_AWAY,
    KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001 - the next poll joins the group again
    KafkaError._WAIT_COORD,  # noqa: SLF001
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_LEADER_EPOCH,  # a broker that was killed takes its partitions up one by one
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
)


_UNFINISHED = (KafkaError._CONFLICT, KafkaError._PREV_IN_PROGRESS)  # noqa: SLF001 - an earlier call that timed out or died


def cause(exception: KafkaException) -> KafkaError:
    """Return the error inside the exception."""
    return cast("KafkaError", exception.args[0])


def passes(error: KafkaError) -> bool:
    """Tell whether librdkafka gets over a consumer's error by itself, so that polling on is right."""
    return error.code() in _PASSING and not error.fatal()


def reading(error: KafkaError) -> BallastError:
    """Return what an error that a poll delivered means."""
    if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
        return OffsetsLostError(f"A partition has no such offset ({error.str()}); say anew where to read from")
    return FatalError(f"Reading failed ({error.str()}); start this process again")


def writing(error: KafkaError, call: str) -> BallastError:
    """Return what an error of a producer's call means; a timed-out, unflagged or unknown one is fatal."""
    if error.fatal():
        return FatalError(
            f"{call} failed for good ({error.str()}); if a newer process has the same id, stop one of them"
        )
    if error.txn_requires_abort():
        return AbortableError(f"{call} failed ({error.str()}); abort the transaction and read its batch again")
    if error.retriable() and error.code() not in (*_AWAY, *_UNFINISHED):
        return RetriableError(f"{call} failed for now ({error.str()}); repeat it")
    return FatalError(f"{call} failed ({error.str()}); its outcome is unknown, so start this process again")


def hung(call: str, error: TimeoutError) -> BallastError:
    """Return what a call means that does not return at all."""
    return FatalError(f"{call} hangs ({error}); its outcome is unknown, so start this process again")


def asking(error: KafkaError, call: str, bootstrap: str) -> BallastError:
    """Return what an error of a call that changes no transaction means."""
    if error.code() in _AWAY:
        return UnavailableError(f"{call}: no answer from Kafka at {bootstrap}; start it or correct the address")
    if passes(error):
        return RetriableError(f"{call} failed for now ({error.str()}); repeat it")
    return FatalError(f"{call} was refused by Kafka at {bootstrap}: {error.str()}")
