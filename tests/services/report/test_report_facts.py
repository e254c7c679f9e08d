from typing import Any

import numpy as np
import pytest
from report_world import (
    CODEC,
    NAME,
    SECOND,
    START,
    World,
    accepted,
    alarmed_at,
    batch,
    documents,
    human,
    measured,
    policy,
    sample,
    story,
)

from services.policy import decisions
from services.report import curves, share, state, strata
from services.report.chart import Axis, Chart, Line, Point, draw
from services.report.figures import number, percent
from services.report.log import Log, read
from services.report.scale import apart, thinned, ticks, time_ticks
from services.report.statistics import MAIN
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import CollapseMeasured, SampleVerified


def alarm(at: int, kind: Any = "change") -> CollapseMeasured:
    return measured("generate/text/bi", at, at, {"hapax": 0.1}, alarm="hapax", alarm_kind=kind)


def stands(*events: Any) -> str:
    measures = [each for each in events if isinstance(each, CollapseMeasured)]
    policies = [each for each in events if not isinstance(each, CollapseMeasured)]
    return state.state_of(Log(measures=measures, policies=policies), 0.3, 0.05)


def test_the_state_follows_alarm_floor_and_steps_back() -> None:
    full, floor, half = policy(0, 1, 0.3), policy(1, 11, 0.05), policy(2, 20, 0.15)
    assert stands(full) == "not measured"
    assert stands(full, measured("seed/text/human", 0, 5, {"hapax": 0.1})) == "healthy"
    assert stands(full, alarm(10)) == "alarm"  # nothing was decided yet
    assert stands(full, alarm(10), floor) == "alarm"
    assert stands(full, alarm(10), floor, half) == "recovering"
    assert stands(full, alarm(10), floor, half, policy(3, 30, 0.3)) == "healthy"
    assert stands(policy(0, 1, 0.9), alarm(10), policy(1, 30, 0.3)) == "healthy"  # the recipe allows no more
    raised = [policy(0, 1, 0.1), alarm(10), floor, policy(2, 20, 0.2), policy(3, 30, 0.1)]
    assert stands(*raised) == "healthy"  # as before the alarm; a person once allowed more
    assert stands(full, alarm(10, "shift"), policy(1, 11, 0.1)) == "healthy"
    assert stands(alarm(10)) == "alarm"


def test_the_headline_names_source_statistic_and_what_is_out_of_use() -> None:
    found = read(story().broker, CODEC, NAME)
    told = " ".join(state.headline(found, 0.3, 0.05, START).told)
    assert "of bi (generated), seen by new words (novel_1)" in told
    assert "Out of use: bi. Held back: bi: offsets 2,050 to 2,599 of partition 1." in told
    assert "expired" not in told
    last = found.policies[-1]
    assert last.expires_at is not None
    assert "expired" in " ".join(state.headline(found, 0.3, 0.05, last.expires_at).told)
    assert state.cap_now(found, 0.3, last.expires_at - 1) == 0.3
    assert state.cap_now(found, 0.3, last.expires_at) == 0
    assert "step 5 back" in state.decided(found)


def test_renewals_are_one_decision_and_every_change_is_another() -> None:
    found = decisions([
        policy(0, 0, 0.3), policy(1, 5, 0.3, reason="other"), policy(2, 9, 0.3, inputs={"a": 1.0}),
        policy(3, 10, 0.2, regenerate=("a",)), policy(4, 15, 0.2), policy(5, 20, 0.2, regenerate=("a",)),
        policy(6, 25, 0.2, weights={"a": 0.0}), policy(7, 30, 0.2, weights={"a": 0.0}, set_by="me"),
        policy(8, 35, 0.2, weights={"a": 0.0}, set_by="me", expires_at=None),
    ])  # fmt: skip
    assert [(each.made.version, each.renewed.version) for each in found] == [
        (0, 2), (3, 4), (5, 5), (6, 6), (7, 7), (8, 8)
    ]  # fmt: skip


def test_the_cap_is_a_step_line_that_falls_to_zero_where_a_policy_expires() -> None:
    policies = [policy(0, 0, 0.5), policy(1, 30 * SECOND, 0.5), policy(2, 200 * SECOND, 0.1, expires_at=None)]
    found = share.caps(policies, 0.3, until=300 * SECOND)
    assert [(point.x // SECOND, point.y) for point in found] == [(0, 0.3), (90, 0.0), (200, 0.1), (300, 0.1)]


def test_a_chart_of_shares_marks_alarms_and_decisions() -> None:
    found = share.chart(read(story().broker, CODEC, NAME), 0.3)
    assert [mark.x for mark in found.marks if mark.kind == "alarm"] == [alarmed_at()]
    assert len([mark for mark in found.marks if mark.kind == "decision"]) == 7
    assert [len(line.points) for line in found.lines][1] == 120


def test_a_line_is_a_group_with_its_null_as_a_band() -> None:
    groups = curves.grouped(read(story().broker, CODEC, NAME).measures)
    chart = curves.statistic(groups, "novel_1", MAIN["novel_1"])
    assert [line.label for line in chart.lines] == ["human", "mixture", "back", "bi", "tri", "", "", ""]
    bi = next(line for line in chart.lines if line.label == "bi")
    assert [point.x for point in bi.points] == list(range(24))
    assert [point.x for point in bi.points if point.alarm] == [16]
    assert all(point.low == pytest.approx(0.071 * 0.94) and point.high == pytest.approx(0.071 * 1.06)
               for point in bi.points)  # fmt: skip
    assert bi.points[16].told.startswith("ALARM: bi (generated), window 16: ")


def test_vocabulary_is_compared_after_the_same_number_of_words() -> None:
    def grown(group: str, *points: tuple[float, float]) -> list[CollapseMeasured]:
        return [measured(group, at, at, {"heaps_words": w, "heaps_types": t}) for at, (w, t) in enumerate(points)]

    groups = curves.grouped([
        *grown("seed/text/human", (1_000, 400), (3_000, 800)), *grown("generate/text/a", (500, 250), (2_000, 300)),
    ])  # fmt: skip
    assert curves.compared(groups) == [
        "After 2,000 words, a has used 300 different ones and human text 600: 50% fewer."
    ]
    chart = curves.vocabulary(groups)
    assert [(p.x, p.y) for p in chart.lines[0].points] == [(1_000, 400), (3_000, 800)]


def test_where_sources_are_many_those_with_alarms_are_drawn() -> None:
    windows = [measured(f"generate/text/s{n:02}", 0, 0, {"hapax": 0.1}, alarm="hapax" if n > 17 else None)
               for n in range(20)]  # fmt: skip
    drawn = [source for _, source in curves.looks(curves.grouped(windows))]
    assert drawn == ["s00", "s01", "s02", "s03", "s18", "s19"]


def test_values_that_are_no_numbers_are_left_out() -> None:
    groups = curves.grouped([measured("seed/text/human", 0, 0, {"hapax": float("nan")})])
    assert not curves.is_there(groups, "hapax")
    assert curves.statistic(groups, "hapax", MAIN["hapax"]).lines == []


def test_strata_come_rarest_first_until_they_hold_a_tenth() -> None:
    people = [sample(n, "x", "abcdefghij"[min(n // 4, 9)] if n < 12 else "z") for n in range(100)]
    made = [sample(n, "x", domain) for n, domain in enumerate(["z"] * 9 + ["new"])]
    found = strata.by_stratum(people, made)
    assert [(each.name, each.human, each.synthetic, each.rare) for each in found] == [
        ("a", 0.04, 0.0, True), ("b", 0.04, 0.0, True), ("c", 0.04, 0.0, True), ("z", 0.88, 0.9, False),
        ("new", 0.0, 0.1, False),
    ]  # fmt: skip


def test_human_text_reaches_every_cell_and_one_text_again_and_again_only_its_own() -> None:
    texts = documents()
    world = World()
    world.write("reference", *human([sample(f"f{n}", texts[n]) for n in range(400)], "fit"))
    world.write("reference", *human([sample(f"c{n}", texts[400 + n]) for n in range(400)], "calibrate"))
    world.write("reference", *human([sample(f"x{n}", texts[1_200 + n]) for n in range(9)], "checks"))
    world.write("verify", *accepted([sample(f"a{n}", texts[800 + n], model="m") for n in range(400)]))
    ready = policy(0, 0, 0.3, reference_version=1, reference_end=(10_000, 0, 0, 0))
    assert "accepted yet" in str(strata.find(world.broker, CODEC, NAME, policy(0, 0, 0.3)))
    found = strata.find(world.broker, CODEC, NAME, ready)
    assert not isinstance(found, str)
    assert (found.documents, found.cells) == (400, 20)
    assert found.values["hit"] >= 0.9
    assert abs(found.values["tail_share"] - found.values["expected_tail_share"]) < 0.06

    twins = World()
    twins.write("reference", *human([sample(f"f{n}", texts[n]) for n in range(400)], "fit"))
    twins.write("reference", *human([sample(f"c{n}", texts[400 + n]) for n in range(400)], "calibrate"))
    twins.write("verify", *accepted([sample(f"t{n}", texts[900], model="m") for n in range(400)]))
    narrow = strata.find(twins.broker, CODEC, NAME, ready)
    assert not isinstance(narrow, str)
    assert narrow.values["hit"] == pytest.approx(1 / 20)
    assert len(narrow.missed) == 12
    assert all(each.found == 0 and each.example in texts[:800] for each in narrow.missed)
    assert [each.share for each in narrow.missed] == sorted((each.share for each in narrow.missed), reverse=True)


def test_each_human_text_stays_with_its_vector() -> None:
    texts = [strata._Texts(np.full((n, 2), n, np.float32), [str(n)] * n) for n in (2, 3)]
    woven = strata._woven(texts[0], texts[1])
    assert woven.texts == ["2", "3", "2", "3"]
    assert woven.vectors.tolist() == [[2, 2], [3, 3], [2, 2], [3, 3]]


def test_only_the_latest_accepted_samples_and_the_accepted_reference_count(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(strata, "MOST", 3)
    made = [sample(n, f"text {n}", model="m") for n in range(8)]
    for event in accepted(made):
        world.write("verify", event, partition=int(event.sample.sample_id, 16) % 4)
    world.write("reference", *human([sample(f"f{n}", "x") for n in range(5)], "fit"))
    pools = strata._read(world.broker, CODEC, NAME, policy(0, 0, 0.3, reference_version=1, reference_end=(2,)))
    assert list(pools.accepted) == made[-3:]
    assert (len(pools.fit), len(pools.calibrate)) == (2, 0)
    assert "Only 0 documents" in str(
        strata.find(world.broker, CODEC, NAME, policy(0, 0, 0.3, reference_version=1, reference_end=(2,)))
    )


def test_a_manifest_is_read_without_its_sample() -> None:
    event = batch(3, 7, 4, 2, cap=0.5)[1]
    frame = CODEC.encode(event)
    told = CODEC.manifest(frame)
    assert told._asdict() == {name: getattr(event, name) for name in told._fields}
    with pytest.raises(DecodeError):
        CODEC.manifest(frame[: frame.index(event.sample.sample_id.encode()) - 1])
    with pytest.raises(DecodeError, match="has no manifest"):
        Codec().manifest(CODEC.encode(SampleVerified(event_id="e", occurred_at=1, sample=event.sample)))


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (0.0712, "0.0712"), (1234567.0, "1,234,567"), (14.23, "14.2"), (-0.5, "-0.5"), (0.00012345, "0.000123"),
     (1e-12, "1.0e-12"), (999.6, "1,000"), (float("nan"), "none"), (100, "100")],
)  # fmt: skip
def test_a_number_has_three_digits_that_count(value: float, told: str) -> None:
    assert number(value) == told


def test_a_share_is_told_in_percent() -> None:
    assert [percent(each) for each in (0.3, 0.297, 0.0, float("nan"))] == ["30 %", "29.7 %", "0 %", "none"]


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.0, 0.31, 6) == [0, 0.1, 0.2, 0.3]
    assert ticks(-0.02, 0.02, 4) == [-0.02, -0.01, 0, 0.01, 0.02]
    assert time_ticks(START + 1, START + 60 * SECOND, 4) == [START + n * 5 * SECOND for n in (1, 4, 7, 10)]
    assert len(time_ticks(0, 400 * 365 * 86_400 * SECOND, 5)) <= 6


def test_a_thinned_line_keeps_ends_extremes_and_alarms() -> None:
    rng = np.random.default_rng(0)
    points = [Point(float(x), float(y), alarm=x == 777) for x, y in enumerate(rng.normal(size=5_000))]
    found = thinned(points, 100)
    assert len(found) <= 101
    assert {points[0], points[-1], points[777]} <= set(found)
    assert max(points, key=lambda each: each.y) in found
    assert min(points, key=lambda each: each.y) in found
    assert found == sorted(found)
    assert thinned(points[:100], 100) == points[:100]


def test_a_chart_draws_no_more_points_than_it_is_given() -> None:
    line = Line("a", "s0", [Point(float(x), float(x % 7)) for x in range(1_000)])
    chart = draw(Chart(title="t", description="d", lines=[line], across=Axis("x"), up=Axis("y")), 300, 200, 60)
    assert 50 < len(chart.findall(".//circle")) <= 60


def test_labels_do_not_lie_on_each_other_and_keep_their_order() -> None:
    found = apart([50, 51, 50.5, 95, 99], 14, 0, 100)
    assert min(np.diff(sorted(found))) == 14
    assert np.argsort(found).tolist() == np.argsort([50, 51, 50.5, 95, 99]).tolist()
    assert max(found) <= 100
