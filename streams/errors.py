"""Every error that `streams` raises, with the one thing that follows from each.

    BallastError
    |- DecodeError           a record is not what its topic promises      -> dead letter
    |- UnknownSchemaError    no reader for a fingerprint                  -> the stage stops
    |- OffsetsLostError      the group forgot where it was                -> the stage stops
    |- DeadLetterLimitError  too many dead letters                        -> the stage stops
    |- TopicError            a topic is missing or can't serve            -> the command or stage ends
    |- UnavailableError      network, disk or model; not the record       -> the stage stops
    |- EmbeddedKafkaError    the embedded broker can't start              -> the command ends
    `- BrokerError
       |- RetriableError     the same call again may work                 -> repeat, bounded
       |- AbortableError     the transaction can't go on                  -> abort, rewind, redo
       `- FatalError         fenced, unknown or timed out                 -> the process exits

A message is one sentence: what happened, where, and what to do.
"""


class BallastError(Exception):
    """The root of all expected errors."""


class DecodeError(BallastError):
    """Bytes are not a valid frame, or the frame is not the event that the topic carries."""


class UnknownSchemaError(BallastError):
    """The frame's fingerprint is neither ours nor in the topic `schema`."""


class OffsetsLostError(BallastError):
    """A group has outputs but no committed offsets, so the next input is not known."""


class DeadLetterLimitError(BallastError):
    """More records failed than a stage may set aside; the fault is likely in the stage."""


class TopicError(BallastError):
    """A topic is missing, or has a shape that can't keep the promises."""


class UnavailableError(BallastError):
    """Something that every record needs is away."""


class EmbeddedKafkaError(BallastError):
    """The embedded broker could not be fetched, started or reached."""


class BrokerError(BallastError):
    """A call to the broker failed."""


class RetriableError(BrokerError):
    """The same call may be repeated as it is."""


class AbortableError(BrokerError):
    """The open transaction must be aborted and its batch read again."""


class FatalError(BrokerError):
    """The producer or consumer is of no further use; only a new process may go on."""
