from dataclasses import replace

import pytest
from books import CODEC, NAME, Books, good, sample, source

from services.books.rejects import Rejects, read
from services.groups import BROUGHT
from streams.events import SampleRejected, SampleVerified
from streams.samples import Sample


def told(books: Books, examples: int = 2, source: str | None = None) -> Rejects:
    return read(books.broker, CODEC, NAME, examples=examples, source=source)


def reject(books: Books, made: Sample, *reasons: str, at: int = 1, by_person: bool = False) -> None:
    decided_by = "review" if by_person else "verify"
    event = SampleRejected(event_id="e", occurred_at=at, reasons=reasons, decided_by=decided_by, sample=made)
    books.write("reject", made.sample_id, event)


@pytest.fixture
def books() -> Books:
    made = Books()
    made.accept(0, 1, 2)
    for number in range(10, 15):
        reject(
            made, sample(number, source=replace(source(), name="b" if number == 12 else "a")), "duplicate", at=number
        )
    reject(made, sample(20), "format")
    reject(made, sample(21, source=None), "unsafe", "format", by_person=True)
    return made


def test_rejections_are_counted_by_reason_and_source_the_commonest_first(books: Books) -> None:
    found = told(books)
    assert (found.accepted, found.rejected) == (3, 7)
    assert [(each.reason, each.samples, each.by_source, each.by_person) for each in found.reasons] == [
        ("duplicate", 5, {"a": 4, "b": 1}, 0),
        ("format", 2, {"a": 1, BROUGHT: 1}, 1),
        ("unsafe", 1, {BROUGHT: 1}, 1),
    ]


def test_examples_are_the_newest(books: Books) -> None:
    found = told(books).reasons[0]
    assert [event.occurred_at for event in found.examples] == [14, 13]
    assert [len(each.examples) for each in told(books, examples=0).reasons] == [0, 0, 0]


def test_one_source_is_counted_alone(books: Books) -> None:
    other = sample(30, source=replace(source(), name="b"))
    books.write("verify", other.sample_id, SampleVerified(event_id="e", occurred_at=1, sample=other))
    found = told(books, source="b")
    assert (found.accepted, found.rejected) == (1, 1)
    assert [(each.reason, each.by_source) for each in found.reasons] == [("duplicate", {"b": 1})]


def test_of_a_good_log_all_that_has_a_fate_is_counted() -> None:
    found = told(good())
    assert (found.accepted, found.rejected, [each.reason for each in found.reasons]) == (2, 1, ["format"])
