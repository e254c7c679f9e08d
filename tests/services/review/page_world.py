"""The page of a review stage on loopback, and the samples that people find there."""

from dataclasses import replace

from review_world import House, request

from services.review import people
from services.review.seats import Role
from streams.events import ReviewRequested
from streams.samples import Source, Turn, Verdict

PASSWORD = "correct horse"
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
    return replace(plain, sample=sample, verdicts=(verdict,), nearest_id=payload, nearest_text=payload)


def address(house: House) -> str:
    """Return where the house serves its page."""
    return f"http://127.0.0.1:{house.port}"


def enrol(house: House, *them: tuple[str, Role]) -> None:
    """Give people the password."""
    store = house.store
    with store.transaction() as db:
        for name, role in them:
            people.add(db, name, role, PASSWORD)
