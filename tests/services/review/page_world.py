"""The page of a review stage on loopback, and the samples that people find there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from review_world import House, request

from services.review import people
from services.review.page.application import application
from services.review.page.show import Show
from services.review.seats import Role
from services.serving import Serving
from streams.events import ReviewRequested
from streams.samples import Source, Turn, Verdict

PASSWORD = "correct horse"
GUIDELINES = "Accept what a careful teacher would say.\n<b>Never</b> accept what is wrong."
PAYLOADS = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    '"><svg onload=window.pwned=1>',
    "' onmouseover='window.pwned=1",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea><script>window.pwned = 1</script>",
    "javascript:window.pwned=1",
    "<a hx-get='/next' hx-trigger='load' data-hx-on:load='window.pwned=1'>x</a>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<style>@import '//example.com/x.css'</style><link rel=stylesheet href=//example.com/y.css>",
    "]]><!--\u2028\u2029 --><base href='//example.com/'>",
)


def hostile(n: int, payload: str) -> ReviewRequested:
    """Return a request that has a payload wherever a model or a check can put a text."""
    plain = request(n, expires_at=None)
    source = Source(
        name=payload, provider="openai", model_id=payload, family=payload, model_generation=0, prompt_hash="p",
        request_key="r", call_index=0, persona=payload,
    )  # fmt: skip
    sample = replace(
        plain.sample,
        task=payload,
        turns=(Turn(role=payload, text=payload), Turn(role="assistant", text=f"before {payload} after")),
        label=payload,
        answer=payload,
        tests=payload,
        tags={payload: payload},
        lineage=replace(plain.sample.lineage, source=source),
    )
    verdict = Verdict(check=payload, outcome="flag", evidence={payload: payload, "match": payload}, explanation=payload)
    return replace(plain, sample=sample, verdicts=(verdict,))


def port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


def enrol(house: House, *them: tuple[str, Role]) -> None:
    """Give people the password."""
    store = house.store
    with store.transaction() as db:
        for name, role in them:
            people.add(db, name, role, PASSWORD)


@contextmanager
def served(house: House) -> Iterator[str]:
    """Serve the page of a house; yields its address."""
    number = port()
    show = Show("plays", GUIDELINES, 10, lambda: house.now)
    serving = Serving(application(house.desk, house.store, show, lambda: house.now), "review", "127.0.0.1", number)
    try:
        yield f"http://127.0.0.1:{number}"
    finally:
        serving.close()
