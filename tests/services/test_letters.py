import pytest
from books import CODEC, NAME, Books, sample

from services.books.letters import read, replay
from services.errors import InputError
from streams.broker import Outgoing
from streams.events import DeadLetter


@pytest.fixture
def books() -> Books:
    made = Books()
    made.generate(0, 1)
    made.bury(0)
    made.bury(1)
    return made


def test_a_letter_is_replayed_once_with_its_original_bytes_under_its_own_id(books: Books) -> None:
    first, second = read(books.broker, CODEC, NAME)
    assert not first.replayed
    assert replay(books.broker, CODEC, NAME, [first.event.event_id]) == 1
    assert replay(books.broker, CODEC, NAME, [first.event.event_id, second.event.event_id]) == 1
    redone = {record.key: record.value for record in books.records("redo.verify")}
    originals = {record.key: record.value for record in books.records("generate")}
    assert redone == {
        first.event.event_id.encode(): originals[sample(0).sample_id.encode()],
        second.event.event_id.encode(): originals[sample(1).sample_id.encode()],
    }
    assert len(books.records("redo.verify")) == 2
    assert all(letter.replayed for letter in read(books.broker, CODEC, NAME))


def test_two_who_replay_at_the_same_time_replay_once(books: Books) -> None:
    letter = read(books.broker, CODEC, NAME)[0].event
    slow = books.broker.producer(f"{NAME}.replay-0")
    slow.init()
    slow.begin()
    slow.send([Outgoing(f"{NAME}.redo.verify", letter.event_id.encode(), letter.value or b"")])
    assert replay(books.broker, CODEC, NAME, [letter.event_id]) == 1
    with pytest.raises(Exception, match=r"newer|fenced"):
        slow.commit()
    assert len(books.records("redo.verify")) == 1


def test_a_letter_that_is_not_there_is_bad_input_and_nothing_is_replayed(books: Books) -> None:
    known = read(books.broker, CODEC, NAME)[0].event.event_id
    with pytest.raises(InputError, match="no dead letter nothing"):
        replay(books.broker, CODEC, NAME, [known, "nothing"])
    assert books.records("redo.verify") == []


def test_a_bad_line_of_a_file_is_not_replayed_but_mended(books: Books) -> None:
    event = DeadLetter(
        event_id="line", occurred_at=1, stage="ingest", reason="input", error="UnfitError", explanation="no text",
        source_topic="a.jsonl", source_partition=-1, source_offset=3, value=b"{}",
    )  # fmt: skip
    books.write("dead.ingest", "", event)
    with pytest.raises(InputError, match="mend the file and ingest it again"):
        replay(books.broker, CODEC, NAME, ["line"])
