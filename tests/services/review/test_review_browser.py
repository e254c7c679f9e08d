"""The page in a real browser: by keyboard alone, with hostile samples, and with 15 people at once."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_world import PASSWORD, PAYLOADS, address, enrol, hostile
from playwright.sync_api import Browser, Page, sync_playwright
from review_world import House, events, request

from services.review.page import served

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
Houses = Callable[..., House]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Visitor:
    """Somebody before the page, who notes what a browser should never have to say."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        self.address, self.complaints = address, list[str]()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._look)

    def _look(self, sent: Any) -> None:
        if not sent.url.startswith((f"{self.address}/", "data:")):
            self.complaints.append(f"left for {sent.url}")

    def come_in(self, name: str) -> None:
        """Log in by keyboard: the name's field has the focus."""
        self.page.goto(self.address)
        self.page.wait_for_function("document.activeElement?.name === 'name'")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#desk")

    def press(self, *keys: str) -> None:
        """Press keys, and wait for the answer to the last one."""
        for key in keys[:-1]:
            self.page.keyboard.press(key)
        with self.page.expect_response(lambda answer: "/numbers" not in answer.url):
            self.page.keyboard.press(keys[-1])
        self.page.wait_for_timeout(50)

    @property
    def sample(self) -> str | None:
        """The sample that is shown."""
        card = self.page.query_selector(".card")
        return card and card.get_attribute("data-sample")

    @property
    def told(self) -> str:
        """What came of the last key."""
        return self.page.inner_text(".told[role=status]")


def test_every_decision_is_taken_by_keyboard_alone(house: Houses, browser: Browser) -> None:
    found = house(*(request(n, expires_at=None) for n in range(5)), serve=served)
    enrol(found, ("ada", "reviewer"))
    decided: dict[str | None, str] = {}
    ada = Visitor(browser, address(found))
    ada.come_in("ada")
    for keys, decision, told in (
        ("a", "accept", "Accepted"),
        ("r 1", "reject factual_error", "Rejected"),
        ("r Shift+Digit5 Shift+Digit6 Enter", "reject off_task low_quality", "Rejected"),
        ("r 8 h m Enter", "reject other: hm", "Rejected"),
        ("e Control+End x Control+Enter", "edit", "Accepted as edited"),
    ):
        decided[ada.sample] = decision
        ada.press(*keys.split())
        assert ada.told == told
    ada.page.wait_for_selector(".empty")
    assert ada.complaints == []
    found.send()
    assert decided == {
        each.sample_id: " ".join([each.decision, *each.reasons]) + (f": {each.comment}" if each.comment else "")
        for each in events(found.broker, "decision")
    }
    (edited,) = [each for each in events(found.broker, "verify") if each.sample.lineage.origin == "HUMAN_EDITED"]
    assert edited.sample.turns[-1].text.strip().endswith("answer x")
    assert len(events(found.broker, "verify")) == 2
    assert len(events(found.broker, "reject")) == 4, "what was edited is rejected itself"


def test_one_goes_about_by_keyboard_alone(house: Houses, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "guidelines.txt").write_text("<b>Never</b> accept what is wrong.")
    found = house(
        *(request(n, expires_at=None) for n in range(2)), guidelines=tmp_path / "guidelines.txt", serve=served
    )
    enrol(found, ("ada", "reviewer"))
    ada = Visitor(browser, address(found))
    ada.come_in("ada")
    first = ada.sample
    ada.press("a")
    second = ada.sample
    ada.press("u")
    assert (ada.told, ada.sample) == ("Taken back", first)
    ada.press("s")
    assert (ada.told, ada.sample) == ("Skipped: it comes again later", second)
    ada.press("j")
    assert ada.sample == first, "what was skipped comes when nothing else is left"
    ada.press("k")
    assert ada.sample == second
    ada.page.keyboard.press("?")
    assert ada.page.is_visible("#help")
    ada.page.keyboard.press("a")  # a key means nothing behind the help
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("g")
    assert "<b>Never</b>" in ada.page.inner_text("#guidelines")
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("r")
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("6")  # a digit means nothing where no reason is asked
    assert ada.sample == second
    assert ada.complaints == []
    found.send()
    assert events(found.broker, "decision") == []


def test_an_edit_shows_what_it_changes(house: Houses, browser: Browser) -> None:
    found = house(request(1, expires_at=None), serve=served)
    enrol(found, ("ada", "reviewer"))
    ada = Visitor(browser, address(found))
    ada.come_in("ada")
    ada.page.keyboard.press("e")
    ada.page.keyboard.press("Control+Home")
    ada.page.keyboard.press("Control+Delete")
    ada.page.keyboard.type("mended ")
    ada.page.wait_for_selector("#diff ins")
    assert ada.page.inner_text("#diff ins").strip() == "mended"
    assert ada.page.inner_text("#diff del").strip() == "answer"
    assert ada.complaints == []


def test_no_text_of_a_model_becomes_html_or_runs(house: Houses, browser: Browser) -> None:
    found = house(*(hostile(n, payload) for n, payload in enumerate(PAYLOADS)), serve=served)
    enrol(found, ("ada", "lead"))
    ada = Visitor(browser, address(found))
    ada.page.on("dialog", lambda dialog: ada.complaints.append(dialog.message))
    ada.come_in("ada")
    seen = set()
    for _ in PAYLOADS:
        seen.add(ada.page.inner_text(".turn.said >> nth=-1"))
        ada.page.keyboard.press("e")
        with ada.page.expect_response("**/diff"):
            ada.page.keyboard.type(" x")
        ada.page.wait_for_selector("#diff ins")
        ada.page.keyboard.press("Escape")
        ada.page.hover(".turn.said >> nth=-1")
        assert ada.page.evaluate("window.pwned") is None
        assert ada.page.query_selector("#desk :is(script, iframe, img, svg, link, style, base, a)") is None
        ada.press("a")
    assert ada.complaints == []
    shown = "".join(seen).replace("\u2028", "").replace("\u2029", "")
    for payload in PAYLOADS:
        assert payload.replace("\u2028", "").replace("\u2029", "") in shown


def test_15_people_at_once_decide_every_sample_just_once(house: Houses, browser: Browser) -> None:
    wanted = [request(n, expires_at=None) for n in range(60)]
    found = house(*wanted, serve=served)
    names = [f"person{n}" for n in range(15)]
    enrol(found, *((name, "reviewer") for name in names))
    done: Counter[str] = Counter()
    people = [Visitor(browser, address(found)) for _ in names]
    for visitor, name in zip(people, names, strict=True):
        visitor.come_in(name)
    while busy := [visitor for visitor in people if visitor.sample is not None]:
        shown = [visitor.sample or "" for visitor in busy]
        assert len(set(shown)) == len(shown), "nobody has what another has"
        for visitor, sample in zip(busy, shown, strict=True):  # nobody waits for the answer to another
            for key in ("a",) if int(sample, 16) % 2 else ("r", "6"):
                visitor.page.keyboard.press(key)
        for visitor, sample in zip(busy, shown, strict=True):
            visitor.page.wait_for_selector(f".card:not([data-sample='{sample}']), .empty")
            assert visitor.told in {"Accepted", "Rejected"}
        done.update(shown)
    assert [visitor.complaints for visitor in people] == [[]] * len(people)
    found.send()
    every = {each.sample.sample_id for each in wanted}
    assert done == dict.fromkeys(every, 1)
    assert Counter(each.sample_id for each in events(found.broker, "decision")) == dict.fromkeys(every, 1)
    accepted, rejected = ({e.sample.sample_id for e in events(found.broker, word)} for word in ("verify", "reject"))
    assert accepted == {each for each in every if int(each, 16) % 2}
    assert rejected == every - accepted
