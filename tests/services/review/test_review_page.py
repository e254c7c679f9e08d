"""The page over HTTP: who gets in, what a browser is told, and what others can't do."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx2
import pytest
from page_world import PASSWORD, address, enrol
from review_world import ACCEPT, ANN, BOB, House, events, request, rule

from services.review.page import served
from streams.events import ReviewReason
from streams.samples import digest

Houses = Callable[..., House]


class Client:
    """A browser as far as HTTP goes."""

    def __init__(self, address: str) -> None:
        self.http = httpx2.Client(base_url=address)
        self.csrf = ""

    def come_in(self, name: str = "ada", password: str = PASSWORD) -> httpx2.Response:
        """Log in, and load the page."""
        form = self.http.get("/login").text
        data = {"name": name, "password": password, "csrf": found(r'name="csrf" value="(\w+)"', form)}
        answer = self.http.post("/login", data=data, follow_redirects=True)
        self.csrf = found(r"&#34;X-CSRF&#34;: &#34;(\w+)&#34;", answer.text, "")
        return answer

    def post(self, path: str, **data: str) -> httpx2.Response:
        """Post as the page does."""
        return self.http.post(path, data=data, headers={"X-CSRF": self.csrf})

    @property
    def sample(self) -> str:
        """The sample that the page shows first."""
        return found(r'data-sample="(\w+)"', self.http.get("/").text)


def found(pattern: str, text: str, otherwise: str | None = None) -> str:
    match = re.search(pattern, text)
    if match is None and otherwise is not None:
        return otherwise
    assert match is not None, text
    return match[1]


@pytest.fixture
def visit(house: Houses) -> Iterator[Callable[..., tuple[House, Client]]]:
    with ExitStack() as stack:

        def made(*wanted: int, reason: ReviewReason = "flagged", **options: float) -> tuple[House, Client]:
            one = house(*(request(n, reason, expires_at=None) for n in wanted), serve=served, **options)
            enrol(one, ("ada", "reviewer"), ("lea", "lead"), ("vera", "viewer"))
            client = Client(address(one))
            stack.callback(client.http.close)
            return one, client

        yield made


Visit = Callable[..., tuple[House, Client]]


def test_who_is_not_logged_in_sees_the_form_and_nothing_else(visit: Visit) -> None:
    _, client = visit(1)
    assert (client.http.get("/").status_code, client.http.get("/").headers["location"]) == (303, "/login")
    for method, path in (("GET", "/next"), ("GET", "/previous"), ("GET", "/numbers"), ("POST", "/undo")):
        answer = client.http.request(method, path)
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")
        assert digest(1) not in answer.text
    assert client.http.get("/openapi.json").status_code == 404
    assert client.http.get("/docs").status_code == 404


def test_a_wrong_password_is_told_with_the_name_kept_and_escaped(visit: Visit) -> None:
    _, client = visit()
    answer = client.come_in("<b>ada", "wrong")
    assert answer.status_code == 401
    assert "The name or the password is wrong" in answer.text
    assert 'value="&lt;b&gt;ada"' in answer.text
    assert "wrong" not in answer.text.replace("is wrong", "")


def test_who_tries_too_often_has_to_wait(visit: Visit) -> None:
    _, client = visit()
    told = [client.come_in("ada", "wrong").text for _ in range(12)]
    assert "too many tries" in told[-1]
    assert "too many tries" in client.come_in("ada").text, "the right password has to wait, too"


def test_every_answer_forbids_what_the_page_does_not_need(visit: Visit) -> None:
    _, client = visit(1)
    client.come_in()
    for path in ("/", "/next", "/static/page.css", "/nowhere", "/login"):
        answer = client.http.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert ("no-store" in answer.headers.get("cache-control", "")) != path.startswith("/static/")
    assert "uvicorn" not in str(client.http.get("/").headers)


def test_no_script_and_no_other_site_gets_the_cookie(visit: Visit) -> None:
    _, client = visit()
    form = client.http.get("/login")
    data = {"name": "ada", "password": PASSWORD, "csrf": found(r'name="csrf" value="(\w+)"', form.text)}
    cookie = client.http.post("/login", data=data).headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert cookie.split(";")[0] != form.headers["set-cookie"].lower().split(";")[0], "a session has a token of its own"


def test_a_form_of_another_site_does_nothing(visit: Visit) -> None:
    house, client = visit(1)
    client.come_in()
    for csrf in ("", "0" * 64, "é"):
        headers = [(b"x-csrf", csrf.encode())]
        answer = client.http.post("/decide", data={"sample_id": digest(1), "decision": "accept"}, headers=headers)
        assert answer.status_code == 403
    assert client.http.post("/logout", data={"csrf": "0" * 64}).status_code == 303
    assert client.http.post("/login", data={"name": "ada", "password": PASSWORD, "csrf": "0"}).status_code == 403
    house.send()
    assert events(house.broker, "decision") == []


def test_who_logs_out_is_out(visit: Visit) -> None:
    _, client = visit(1)
    client.come_in()
    kept = dict(client.http.cookies)
    client.http.post("/logout", data={"csrf": client.csrf})
    client.http.cookies.update(kept)
    assert client.http.get("/next").status_code == 401


def test_a_viewer_sees_numbers_and_decides_nothing(visit: Visit) -> None:
    _, client = visit(1)
    page = client.come_in("vera").text
    assert "<b>1</b> waiting" in page
    assert 'data-key="a"' not in page
    assert client.post("/decide", sample_id=digest(1), decision="accept").status_code == 403


def test_a_rejection_without_a_reason_is_told_and_the_sample_stays(visit: Visit) -> None:
    house, client = visit(1, 2)
    client.come_in()
    sample = client.sample
    answer = client.post("/decide", sample_id=sample, decision="reject")
    assert "has no reason; give at least one" in answer.text
    assert found(r'data-sample="(\w+)"', answer.text) == sample
    assert client.post("/decide", sample_id=sample, decision="sing").status_code == 422
    assert client.post("/decide", sample_id="nothing", decision="accept").text.count("does not wait for review") == 1
    house.send()
    assert events(house.broker, "decision") == []


def test_a_sample_that_somebody_else_has_is_not_given_or_taken(visit: Visit) -> None:
    house, client = visit(1)
    assert house.assign(BOB) == [digest(1)]
    page = client.come_in().text
    assert "Nothing waits for you" in page
    assert "can&#39;t be yours: bob has it" in client.post("/decide", sample_id=digest(1), decision="accept").text


def test_a_decision_that_came_too_late_is_told_until_it_is_acknowledged(visit: Visit) -> None:
    house, client = visit(1, 2)
    client.come_in()
    sample = client.sample
    client.post("/decide", sample_id=sample, decision="accept")
    rule(house.broker, 1 if sample == digest(1) else 2)
    house.send()
    told = client.http.get("/").text
    assert f"Your decision on sample {sample} came too late" in told
    row = found(r"&#34;row&#34;: (\d+)", told)
    assert "came too late" not in client.post("/acknowledge", row=row).text


def test_a_lead_sees_both_opinions_and_decides(visit: Visit) -> None:
    house, client = visit(1, share=1.0)
    for who, ruling in ((ANN, ACCEPT), (BOB, ACCEPT._replace(decision="reject", reasons=("unsafe",), comment="<i>no"))):
        house.desk.assign(who, house.now)
        house.submit(who, 1, ruling)
        house.send()
    page = client.come_in("lea").text
    assert "They disagree: you decide" in page
    assert "<b>bob</b>: reject (unsafe): &lt;i&gt;no" in page
    assert "<b>1</b> for a lead" in page
    client.post("/decide", sample_id=digest(1), decision="reject", reasons="unsafe")
    house.send()
    assert [event.reasons for event in events(house.broker, "reject")] == [("unsafe",)]


def test_a_lease_lasts_while_the_page_is_open(visit: Visit) -> None:
    house, client = visit(1)
    client.come_in()
    for _ in range(3):
        house.now += 9 * 60_000
        assert client.post("/renew", sample_id=digest(1)).status_code == 204
        assert house.assign(BOB) == []
    house.now += 11 * 60_000
    assert house.assign(BOB) == [digest(1)]
    assert client.post("/renew", sample_id=digest(1)).status_code == 204, "the next click tells"


@pytest.mark.parametrize("reason", ["flagged", "audit"])
def test_what_the_checks_said_is_shown_but_not_where_the_decision_measures_them(visit: Visit, reason: str) -> None:
    _, client = visit(1, reason=reason)
    page = client.come_in().text
    assert ("<b>duplicate</b>" in page) == (reason == "flagged")
    assert ("your decision measures them" in page) == (reason == "audit")


def test_next_and_previous_go_through_what_one_has_and_next_takes_more(visit: Visit) -> None:
    _, client = visit(1, 2, 3)
    client.come_in()
    first = client.sample
    second = found(r'data-sample="(\w+)"', client.http.get("/next", params={"sample_id": first}).text)
    third = found(r'data-sample="(\w+)"', client.http.get("/next", params={"sample_id": second}).text)
    assert len({first, second, third}) == 3
    last = client.http.get("/next", params={"sample_id": third}).text
    assert found(r'data-sample="(\w+)"', last) == third, "there is no other"
    for sample, before in ((third, second), (second, first), (first, first)):
        page = client.http.get("/previous", params={"sample_id": sample}).text
        assert found(r'data-sample="(\w+)"', page) == before
