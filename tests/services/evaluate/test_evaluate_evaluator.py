from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from evaluate_world import CODEC, NOW, SIZE, World, documents, generated, human, outputs, seeds

from services.errors import InputError
from services.evaluate.history import History
from services.evaluate.reporting import Report, losses_of, report
from services.evaluate.result import Result, judged
from streams.errors import FatalError
from streams.topics import identity


def world(holdout: int = 600) -> World:
    made = World()
    made.holdout([human(text, domain="safety" if n % 5 == 0 else "") for n, text in enumerate(documents()[-holdout:])])
    return made


def test_a_mix_that_is_made_of_a_models_own_outputs_is_a_collapse_and_a_healthy_one_is_steady() -> None:
    made = world()
    evaluator = made.evaluator()
    for cycle in range(2):
        made.healthy(cycle)
        assert evaluator.run().verdict == "steady"
    made.mix([generated(text, generation=2) for text in outputs(2)[:1_000]])
    result = evaluator.run()
    assert result.verdict == "collapse"
    found = {each.set_name: each for each in result.comparisons["proxy-ngram"]}
    assert found["holdout"].low > 0.1
    assert found["safety"].low > 0
    assert found["synthetic"].since_first < 0
    assert [event.verdict for event in made.scores()] == ["steady"] * 6 + ["collapse"] * 3
    assert {event.largest_generation for event in made.scores()[-3:]} == {2}


def test_healthy_cycles_of_other_samples_are_all_steady() -> None:
    made = world(300)
    verdicts = []
    for cycle in range(5):
        made.healthy(cycle, 500)
        verdicts.append(made.evaluator().run().verdict)
    assert verdicts == ["steady"] * 5


def test_a_cycle_is_evaluated_once_and_shown_again_until_more_is_mixed() -> None:
    made = world(100)
    made.healthy(0, 300)
    first = made.evaluator().run()
    again = made.evaluator().run()
    assert (first.is_new, again.is_new) == (True, False)
    assert again.events == first.events == made.scores()
    assert again.comparisons == first.comparisons
    made.healthy(1, 300)
    made.evaluator().run()
    assert [(event.cycle, event.run_id, event.trained_to_batch) for event in made.scores()] == [
        (0, "0-6", 6), (0, "0-6", 6), (1, "6-12", 12), (1, "6-12", 12),
    ]  # fmt: skip


def test_a_named_run_is_never_made_twice() -> None:
    made = world(100)
    made.healthy(0, 300)
    first = made.evaluator().run("job-1")
    made.healthy(1, 300)
    assert made.evaluator().run("job-1").events == first.events
    assert {event.run_id for event in made.scores()} == {"job-1"}
    assert made.evaluator().run("job-2").is_new


def test_two_pipelines_with_the_same_log_get_the_same_scores() -> None:
    one, other = world(100), world(100)
    for each in (one, other):
        each.healthy(0, 300)
        each.evaluator().run()
    assert one.scores() == other.scores()


def test_who_evaluates_at_the_same_time_is_fenced_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(100)
    made.healthy(0, 300)
    real = made.broker.bounds

    def bounds(partitions: Any) -> Any:
        made.broker.producer(identity("p", "evaluate", 0)).init()
        return real(partitions)

    monkeypatch.setattr(made.broker, "bounds", bounds)
    with pytest.raises(FatalError):
        made.evaluator().run()
    monkeypatch.undo()
    assert made.scores() == []


def test_the_benchmark_stays_what_it_was_in_the_first_cycle_that_had_one() -> None:
    made = world(100)
    made.mix([human(text) for text in seeds()[-300:]] + [generated(text) for text in outputs(1)[-50:]])  # too few
    made.evaluator().run()
    for cycle in range(2):
        made.healthy(cycle, 600)
        made.evaluator().run()
    found = [event for event in made.scores() if event.set_name == "synthetic"]
    assert [event.cycle for event in found] == [1, 2]
    assert found[0].document_ids == found[1].document_ids
    assert found[0].losses != found[1].losses


def test_a_cycle_with_less_to_learn_from_is_not_evaluated() -> None:
    made = world(100)
    made.healthy(0, 300)
    made.evaluator().run()
    made.healthy(1, 100)
    with pytest.raises(InputError, match=r"Batches 6 to 7 have .* words to learn from, and the first cycle used"):
        made.evaluator().run()
    assert {event.cycle for event in made.scores()} == {0}
    made.healthy(2, 200)
    assert made.evaluator().run().events[0].trained_to_batch == 12


def test_every_cycle_learns_from_as_many_words() -> None:
    made = world(100)
    for cycle, size in enumerate((300, 600)):
        made.healthy(cycle, size)
        made.evaluator().run()
    assert len({event.metrics["words"] for event in made.scores()}) == 1
    assert made.scores()[0].metrics["synthetic_share"] == pytest.approx(0.3)


def test_what_leaks_into_the_mix_is_told_and_not_scored() -> None:
    made = world(100)
    leaked = documents()[-5:]
    made.mix([human(text) for text in [*seeds()[:200], *leaked]])
    result = made.evaluator().run()
    (holdout,) = (event for event in result.events if event.set_name == "holdout")
    assert result.leaks == 5
    assert holdout.documents == 95
    assert holdout.metrics["leaked_documents"] == 5


def test_labelled_samples_are_classified_too() -> None:
    made = World()
    labels = [human(text, label="thou" if " thou " in text else "you") for text in seeds()[:800]]
    made.holdout(labels[600:])
    made.mix(labels[:300])
    made.evaluator().run()
    made.mix([replace(sample, label="thou" if n % 2 else "you") for n, sample in enumerate(labels[300:600])])
    result = made.evaluator().run()
    assert result.comparisons.keys() == {"proxy-ngram", "proxy-linear"}
    (before, after) = (event for event in made.scores() if event.evaluator == "proxy-linear")
    assert before.metrics["macro_f1"] > after.metrics["macro_f1"]
    assert after.verdict == "regressed" == result.verdict  # labels at random; the text is as good as before
    assert {event.verdict for event in made.scores() if event.evaluator == "proxy-ngram"} == {"steady"}


def test_before_anything_is_mixed_there_is_nothing_to_evaluate() -> None:
    with pytest.raises(InputError, match="No batch is mixed yet"):
        world(10).evaluator().run()


def test_without_any_set_there_is_nothing_to_score_on() -> None:
    made = World()
    made.mix([human(text) for text in seeds()[:SIZE]])
    with pytest.raises(InputError, match=r"give `split\.holdout` a share"):
        made.evaluator().run()


def said(cycle: int, set_name: str = "holdout", **more: object) -> Report:
    given: dict = {  # type: ignore[type-arg]
        "run_id": f"run-{cycle}", "cycle": cycle, "set_name": set_name, "trainer": "mine", "model_id": "m", **more
    }  # fmt: skip
    return Report(**given)


def tell(made: World, one: Report) -> Result:
    return report(made.broker, CODEC, "p", one, NOW)


def test_a_trainers_reports_are_judged_set_by_set() -> None:
    made = World()
    for name in ("holdout", "synthetic"):
        assert tell(made, said(0, name, loss=2.0)).verdict == "steady"
    assert tell(made, said(1, "holdout", loss=2.3)).verdict == "regressed"
    assert tell(made, said(1, "synthetic", loss=2.0)).verdict == "collapse"
    assert [event.verdict for event in made.scores()] == ["steady", "steady", "regressed", "collapse"]


def test_losses_of_documents_are_tested_by_pairs() -> None:
    made = World()
    before = {f"d{n}": 2.0 + n % 7 for n in range(200)}
    tell(made, said(0, losses=before))
    tell(made, said(0, "synthetic", losses=before))
    tell(made, said(1, "synthetic", losses=before))
    result = tell(made, said(1, losses={key: loss + 0.3 for key, loss in before.items()}))
    (holdout, _) = result.comparisons["mine"]
    assert holdout.interval is not None
    assert 0.2 < holdout.low < holdout.since_first == pytest.approx(0.3)
    assert result.verdict == "collapse"


def test_a_report_is_written_once_and_never_changed() -> None:
    made = World()
    assert tell(made, said(0, loss=2.0, metrics={"bleu": 0.5})).is_new
    assert not tell(made, said(0, loss=2.0)).is_new
    with pytest.raises(InputError, match="a report is never changed"):
        tell(made, said(0, loss=2.1))
    swapped = Report(**{**asdict(said(0, "safety")), "losses": {"a": 1.0, "b": 2.0}})
    tell(made, swapped)
    with pytest.raises(InputError, match="a report is never changed"):
        tell(made, replace(swapped, losses={"a": 2.0, "b": 1.0}))
    with pytest.raises(InputError, match="Run run-0 is of cycle 0, not 3"):
        tell(made, replace(said(3, "other", loss=1.0), run_id="run-0"))
    assert [(event.loss, event.metrics) for event in made.scores()] == [(2.0, {"bleu": 0.5}), (1.5, {})]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"loss": 1.0, "trainer": "proxy-ngram"}, "give the trainer another"),
        ({"loss": 1.0, "trainer": ""}, "give the trainer another"),
        ({}, "Give either"),
        ({"loss": 1.0, "losses": {"a": 1.0}}, "Give either"),
        ({"loss": float("nan")}, "is no number"),
    ],
)
def test_a_report_that_says_too_little_or_too_much_is_refused(more: dict[str, object], told: str) -> None:
    made = World()
    with pytest.raises(InputError, match=told):
        tell(made, said(0, **more))
    assert made.scores() == []


def test_what_others_write_to_the_topic_counts_as_a_report() -> None:
    made = World()
    tell(made, said(0, loss=2.0))
    tell(made, said(0, "synthetic", loss=2.0))
    template = made.scores()[0]
    for name, loss in (("holdout", 2.5), ("synthetic", 1.9), ("holdout", 9.0)):  # the last one repeats the first
        event = replace(template, event_id=name, run_id="other", cycle=1, set_name=name, loss=loss, verdict="none")
        made.send("evaluate", "other", event)
    history = History(made.broker, CODEC, "p")
    result = judged(history.events, list(history.runs("mine")[-1].values()))
    assert result.verdict == "collapse"
    assert {each.loss for each in result.comparisons["mine"]} == {2.5, 1.9}


def test_a_report_does_not_move_the_proxies_cycle() -> None:
    made = world(100)
    made.healthy(0, 300)
    tell(made, said(7, loss=2.0, trained_to_batch=99))
    result = made.evaluator().run()
    assert (result.events[0].cycle, result.events[0].trained_to_batch) == (0, 6)


def test_losses_are_read_from_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "losses.jsonl"
    path.write_text('{"sample_id": "a", "loss": 1.5}\n{"sample_id": "b", "loss": 2}\n')
    assert losses_of(path) == {"a": 1.5, "b": 2.0}


@pytest.mark.parametrize(
    "line", ["nothing", "[]", '{"loss": 1}', '{"sample_id": 3, "loss": 1}', '{"sample_id": "a", "loss": 1}',
             '{"sample_id": "b", "loss": NaN}', '{"sample_id": "b", "loss": "low"}'],
)  # fmt: skip
def test_a_line_that_is_no_loss_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "losses.jsonl"
    path.write_text('{"sample_id": "a", "loss": 1.5}\n' + line + "\n")
    with pytest.raises(InputError, match=r"Line 2 of .*losses\.jsonl is not"):
        losses_of(path)


def test_a_file_without_losses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    for name in ("empty", "absent"):
        with pytest.raises(InputError):
            losses_of(tmp_path / name)
