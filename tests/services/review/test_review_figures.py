import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from review_world import ACCEPT, ANN, BOB, CAT, REJECT, House, desk_with, request, rule, stage

from services.review.agreement import Rated, alpha
from services.review.figures import STATES
from streams.samples import digest

PAIRS = st.tuples(st.sampled_from(["accept", "edit", "reject"]), st.sampled_from(["accept", "edit", "reject"]))


def reference(rated: list[Rated]) -> float:
    """Compute alpha from its definition: 1 - observed / expected disagreement of pairs."""
    values = [kind for each in rated for kind in each]
    total = len(values)
    observed = sum(sum(a != b for a in each for b in each) / (len(each) - 1) for each in rated) / total
    expected = sum(a != b for a in values for b in values) / (total * (total - 1))
    return 1 - observed / expected


@given(st.lists(PAIRS, min_size=10, max_size=40))
def test_alpha_is_krippendorffs(pairs: list[Rated]) -> None:
    rated = [tuple(sorted(pair)) for pair in pairs]
    found = alpha(Counter(rated))
    if len({kind for each in rated for kind in each}) == 1:
        assert found is None
    else:
        assert found == pytest.approx(reference(rated))


def test_alpha_needs_ten_pairs() -> None:
    assert alpha({("accept", "accept"): 5, ("reject", "reject"): 4}) is None
    assert alpha({("accept", "accept"): 5, ("reject", "reject"): 5}) == 1.0
    assert alpha({("accept", "accept", "reject"): 3, ("reject", "reject"): 1}) is not None


def test_every_sample_that_waits_is_in_one_state(house: type[House]) -> None:
    here = house(*(request(n, expires_at=2_000_000 + n) for n in range(12)), share=1.0)
    for n in (0, 1):
        here.submit(ANN, n)
        here.submit(BOB, n, REJECT)
    here.submit(ANN, 2)
    here.send()
    here.submit(CAT, 3)
    here.assign(CAT, 2)
    figures = here.desk.figures(here.now)
    assert figures.backlog == {"waiting": 7, "leased": 2, "second": 0, "adjudication": 2, "outbox": 1}
    assert figures.pace == {"ann": 3, "bob": 2}
    assert figures.next_expiry == 2_000_000
    here.desk.leave(CAT)
    assert here.states() == {"waiting": 8, "second": 1, "adjudication": 2, "outbox": 1}
    assert here.desk.figures(here.now + 3_600_000).pace == {}


def test_agreement_counts_blind_decisions_only(house: type[House]) -> None:
    here = house(*(request(n, expires_at=None) for n in range(12)), share=1.0)
    for n in range(12):
        here.submit(ANN, n, ACCEPT if n % 2 else REJECT)
        here.submit(BOB, n, ACCEPT if n % 2 or n == 0 else REJECT)
    assert here.desk.figures(here.now).alpha is None
    here.send()
    expected = reference([("accept", "accept")] * 6 + [("reject", "reject")] * 5 + [("accept", "reject")])
    assert here.desk.figures(here.now).alpha == pytest.approx(expected)
    rule(here.broker, 0, REJECT)
    here.step()
    assert here.desk.figures(here.now).alpha == pytest.approx(expected)
    here.open()
    assert here.desk.figures(here.now).alpha == pytest.approx(expected)


def scraped(house: House) -> dict[str, float]:
    assert house.stage is not None
    text = generate_latest(house.stage._context.metrics.registry).decode()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("ballast_review"))
        if not name.endswith("_created") and "_created{" not in name
    }


def test_prometheus_gets_states_agreement_and_what_was_settled_since_the_start(house: type[House]) -> None:
    here = house(request(1, expires_at=None), request(2, expires_at=2_000_000), request(3, expires_at=None), share=1.0)
    rule(here.broker, 3)
    here.open()
    here.submit(ANN, 1)
    here.send()
    here.submit(BOB, 1)
    before = scraped(here)
    assert math.isnan(before.pop("ballast_review_agreement_alpha"))
    assert before == {
        f'ballast_review_tasks{{state="{state}"}}': float(state in ("outbox", "waiting")) for state in STATES
    }
    here.send()
    here.now = 2_000_000
    here.step()
    after = scraped(here)
    assert after['ballast_review_decisions_total{decision="accept"}'] == 1
    assert after['ballast_review_decisions_total{decision="expire"}'] == 1
    assert 'ballast_review_decisions_total{decision="reject"}' not in after
    assert after['ballast_review_tasks{state="waiting"}'] == 0


def test_without_a_page_the_stage_still_tells_what_waits() -> None:
    review = stage(desk_with(request(1, expires_at=None)), lambda: 5)
    review.start()
    text = generate_latest(review._context.metrics.registry).decode()
    assert 'ballast_review_tasks{state="waiting"} 1.0' in text
    assert digest(1) not in text
    review.close()
