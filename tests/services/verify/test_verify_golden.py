"""The golden set of the bench: faults of every kind, no two alike, and good samples that have none."""

import sys
from pathlib import Path

# bench/ isn't installed; last, so that nothing of it hides a test's module
sys.path.append(str(Path(__file__).parents[3] / "bench"))

import golden

PARTS = golden.human()
KINDS = golden.kinds(PARTS, 30, 1)


def test_there_are_15_kinds_of_faults_and_more_each_of_as_many_samples_as_wanted() -> None:
    assert len(KINDS) >= 15
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert len({sample.sample_id for sample in kind.samples}) == 30, kind.name
        assert all(sample.lineage.origin == "SYNTHETIC" for sample in kind.samples), kind.name
        assert len({sample.content_hash for sample in kind.samples}) >= 25, kind.name


def test_no_human_document_serves_two_ends() -> None:
    ids = [sample.sample_id for part in PARTS for sample in part]
    assert len(set(ids)) == len(ids)


def test_a_right_sum_comes_to_its_answer_and_a_wrong_one_does_not() -> None:
    wrong = next(kind for kind in KINDS if kind.name == "wrong maths").samples
    right = golden.good(PARTS, 30, 1)["right maths"]
    for samples, is_right in ((wrong, False), (right, True)):
        for sample in samples:
            last = sample.turns[-1].text.splitlines()[-1]
            assert (
                str(sample.answer) in last.replace("{", " ").replace("}", " ").replace(".", " ").split()
            ) == is_right
