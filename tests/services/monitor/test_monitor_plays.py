import numpy as np
from monitor_plays import FAMILIES, artefact, model, sample, texts
from monitor_world import took
from stats_texts import documents as plays

from services.artefact import SCORES
from services.generate.ngram import NgramModel
from services.monitor.cell import Cell
from services.monitor.change import Change
from services.monitor.group import fresh
from streams.stats.documents import Documents
from streams.stats.novelty import MEMORY, Novelty
from streams.stats.sequential import CELL, threshold

PARTITIONS = 4
LEAST = threshold(25_000_000, 4)


def cells(told: list[str], key: str) -> list[Cell]:
    """Return the cells of a source's texts, which fall into partitions at random, in the order of the log."""
    said = artefact().documents([sample(text, f"{key}{number}") for number, text in enumerate(told)])
    part = np.random.default_rng(1).integers(0, PARTITIONS, len(said.keys))
    found = []
    for number in range(PARTITIONS):
        places = np.flatnonzero(part == number)
        mine = Documents(*(column[places] for column in said))
        mine.scores[:, :3] = Novelty(MEMORY // PARTITIONS).score(mine.flat())
        for at in range(len(places) // CELL):
            cell = mine.part(at * CELL, (at + 1) * CELL)
            found.append((int(places[at * CELL + CELL - 1]), Cell(number, at, cell, at * CELL, (at + 1) * CELL, 0)))
    return [cell for _, cell in sorted(found, key=lambda each: each[0])]


def until_an_alarm(said: list[Cell]) -> tuple[Change, int]:
    """Return the test at its alarm, or at the end, and how many cells it took."""
    group = fresh(PARTITIONS, 1_000)
    for number, cell in enumerate(said):
        group, _ = took(group, cell, "generate")
        if group.change.admitted and group.change.evidence()[0] >= LEAST:
            return group.change, number + 1
    return group.change, len(said)


def test_human_text_raises_no_alarm() -> None:
    test, _ = until_an_alarm(cells(list(plays()[-6_000:]), "human"))
    assert test.evidence()[0] < LEAST
    assert test.tested > 1_500


def test_a_source_that_learns_from_itself_is_found_within_500_documents_and_nearly_all_of_it_is_suspect() -> None:
    """Not suspect is what came while the evidence was still below 10: some 5 to 50 documents of the first 150."""
    healthy = texts(model(2), 4_600, seed=1)
    order, backoff = FAMILIES[2]
    echo = texts(NgramModel(healthy[-2_000:], order=order, backoff=backoff), 600, seed=2)
    said = cells([*healthy, *echo], "bi")
    changed = {int(sample("", f"bi{number}").sample_id[:16], 16) for number in range(4_600, 5_200)}
    test, taken = until_an_alarm(said)
    came = [key for cell in said[:taken] for key in cell.documents.keys.tolist() if key in changed]
    assert 0 < len(came) <= 500
    assert SCORES[test.evidence()[1]].startswith("novel_")
    assert test.means(said[taken - 1].documents)[test.evidence()[1]] < 0
    suspects = set(test.suspects.tolist())
    assert len(set(came) - suspects) <= 60
    assert set(came[60:]) <= suspects
