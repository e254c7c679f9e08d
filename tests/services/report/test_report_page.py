import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from report_world import CODEC, NAME, World, measured, policy, story

from services.books.strata import Stratum as Wanted
from services.errors import InputError
from services.generate.calls import Counts
from services.report.log import Log, read
from services.report.page import Facts, page
from services.report.strata import Missed, Reach, Stratum

VOID = {"meta", "br", "hr", "img", "input", "link"}
BAD = "<script>alert(1)</script>\"'&"
REACH = Reach(
    documents=10,
    strata=[Stratum("odd", 0.1, 0.0, True), Stratum("even", 0.9, 1.0, False)],
    values={"hit": 0.5, "expected_hit": 0.75, "tail_share": 0.02, "expected_tail_share": 0.1},
    cells=4,
    missed=[Missed(0.1, 7.0, 0, True, BAD)],
)


class Page(HTMLParser):
    """Reads a page, fails where tags do not match, and keeps what a reader meets."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def facts(log: Log, reach: Reach | str = REACH, now: int = 0, pipeline: str = NAME) -> Facts:
    return Facts(pipeline=pipeline, log=log, reach=reach, recipe_cap=0.3, floor=0.05, now=now)


def of(world: World) -> Log:
    return read(world.broker, CODEC, NAME)


@pytest.fixture(scope="module")
def html() -> str:
    return page(facts(of(story())))


def test_a_page_is_whole_html_with_every_part(html: str) -> None:
    found = Page(html)
    for part in ("Synthetic share over time", "Vocabulary growth", "Words used once", "Good-Turing", "New word triples",
                 "Jensen-Shannon divergence", "Recall", "Coverage", "Near-duplicates", "Surprisal", "Mean discrepancy",
                 "Strata, the rarest first", "Alarms", "Decisions"):  # fmt: skip
        assert part in found.text, part
    assert html.startswith("<!DOCTYPE html>")


def test_a_page_fetches_nothing_and_runs_nothing(html: str) -> None:
    found = Page(html)
    assert not {"script", "link", "iframe", "img", "object", "base"} & set(found.tags)
    assert not {"src", "href", "onload", "onclick", "xlink:href"} & {name for name, _ in found.attributes}
    assert "//" not in html.replace("<!--", "").split("</style>")[0].split("<style>")[1]
    assert not re.search(r"https?://|url\(|@import", html)


def test_every_chart_has_a_title_and_a_description_first(html: str) -> None:
    charts = [ET.fromstring(chart) for chart in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]
    assert len(charts) == 16  # two in two sizes, eleven statistics and vendi
    for chart in charts:
        assert [each.tag for each in chart][:2] == ["title", "desc"]
        assert all(each.text for each in list(chart)[:2])
        assert chart.get("role") == "img"
        assert "nan" not in " ".join(value for each in chart.iter() for value in each.attrib.values())


def test_text_of_samples_reasons_and_names_never_becomes_markup() -> None:
    world = World()
    world.write("policy", policy(0, 1, 0.3, reason=BAD, set_by=BAD, weights={BAD: 1.0}, inputs={BAD: 1.0}))
    values = {"hapax": 0.5, "heaps_words": 9.0, "heaps_types": 5.0}
    windows = [measured(f"generate/text/{BAD}", number, number, values, alarm=BAD) for number in range(2)]
    world.write("measure", *windows)
    found = Page(page(facts(of(world), REACH, pipeline=BAD)))
    assert "script" not in found.tags
    assert found.text.count(BAD) > 10


def test_an_empty_pipeline_says_in_sentences_what_is_missing() -> None:
    found = Page(page(facts(of(World()), "No reference is accepted yet.")))
    assert "not measured" in found.text
    for told in (
        "The topic measure is empty: the monitor has not run, so there are no curves and no alarms.",
        "No batch is made and no policy is set yet.",
        "Nobody has decided yet, so batches are made of real samples only.",
        "No reference is accepted yet.",
    ):
        assert told in found.text
    assert "svg" not in found.tags


def test_a_repeated_event_changes_nothing() -> None:
    once, twice = story(), story()
    values = {"hapax": 0.1}
    for world in (once, twice):
        world.write("measure", measured("generate/text/new", 0, 5, values))
        world.write("policy", policy(500, 9, 0.1))
    twice.write("measure", measured("generate/text/new", 0, 5, values), measured("generate/text/new", 0, 5, values))
    twice.write("policy", policy(500, 9, 0.1))
    assert of(once) == of(twice)
    assert len([each for each in of(twice).measures if each.group == "generate/text/new"]) == 1


def test_batches_are_counted_by_their_manifests() -> None:
    found = of(story())
    assert [batch.number for batch in found.batches] == list(range(120))
    assert all(batch.size == 64 and 0 <= batch.synthetic <= 64 * batch.cap for batch in found.batches)
    assert sum(batch.synthetic for batch in found.batches) > 1_000


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    from services.commands.report import write

    folder = tmp_path
    path = folder / "a.html"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write(path, "new \ud800")
    assert [each.name for each in folder.iterdir()] == ["a.html"]
    assert path.read_text() == "old"
    write(path, "new")
    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("a.html", "new")]
    with pytest.raises(InputError, match="give another place with --out"):
        write(folder / "nowhere" / "a.html", "new")


def test_the_page_has_a_row_for_each_stratum_and_no_such_section_without_quotas() -> None:
    plain = facts(Log())
    wanted = replace(plain, wanted=[Wanted(BAD, Counts(1, 2, 3, 4_000, 5), 6_000)])
    assert "Quotas" not in page(plain)
    text = " ".join(Page(page(wanted)).text.split())
    assert f"accepted lost wanted {BAD} 1 2 3 4,000 5 6,000" in text
