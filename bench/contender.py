"""One contender of the loop comparison in a process of its own: `contender.py CONTENDER ADDRESS NAME COUNT`."""

import sys
from collections.abc import Callable

import bare
import cost
import event_codecs
import ours
import small_event

from streams.codec import Codec

Run = Callable[[str, str, int], None]


def _bare_avro(frame: bytes) -> bytes:
    return small_event.encode(small_event.accept(small_event.decode(frame)))


CONTENDERS: dict[str, Run] = {
    "bare": lambda at, name, count: bare.run(at, name, count, lambda value: value),
    "processor": lambda at, name, count: ours.run(at, name, count, event_codecs.Untouched(), lambda event: event),
    "bare-avro": lambda at, name, count: bare.run(at, name, count, _bare_avro),
    "processor-avro": lambda at, name, count: ours.run(at, name, count, event_codecs.Compiled(), event_codecs.accept),
    "processor-fastavro": lambda at, name, count: ours.run(
        at, name, count, event_codecs.Fastavro(), small_event.accept
    ),
    "processor-events": lambda at, name, count: ours.run(at, name, count, Codec(), ours.verified),
}

if __name__ == "__main__":
    contender, bootstrap, name, count = sys.argv[1:]
    CONTENDERS[contender](bootstrap, name, int(count))
    cost.tell()
