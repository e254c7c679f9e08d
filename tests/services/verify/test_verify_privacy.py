import random

import planted_private as plant
import pytest
from human_texts import dialogues, documents, glosses
from planting import Plant, caught, failed
from verify_world import batch, sample

from services.verify.checks.privacy import Privacy
from streams.samples import Sample, Verdict

CHECK = Privacy()
KINDS = [
    plant.email,
    plant.phone,
    plant.card,
    plant.iban,
    plant.national_id,
    plant.address,
    plant.secret,
    plant.password,
]


def said(text: str) -> Verdict:
    return CHECK.over(batch(sample("a", text)))[0]


@pytest.mark.parametrize("fault", KINDS)
def test_nearly_all_planted_data_of_persons_and_secrets_fail(fault: Plant) -> None:
    assert caught(CHECK, fault, documents()[:400]) >= 0.95


@pytest.mark.parametrize("texts", [documents, dialogues, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(texts: "type[list[Sample]]") -> None:
    assert failed(CHECK, texts()) <= 0.001 * len(texts())


@pytest.mark.parametrize(
    "text",
    [
        "Write to jane@example.com or ops@mail.example.org; git@github.com:o/r.git is no person.",
        "Call (212) 555-0123 or 1-800-356-9377, from London 020 7946 0958.",
        "Pay with 4111 1111 1111 1111 or 4242424242424242; the card 4539 1488 0343 6468 is invalid.",
        "The account GB29 NWBK 6016 1331 9268 19 is the one of the standard, GB28 NWBK 6016 1331 9268 19 is none.",
        "SSN 078-05-1120, 000-12-3456, 912-34-5678 and the card AB123456C.",
        "Hosts 192.0.2.7, 10.1.2.3, 127.0.0.1, 8.8.8.8, 2001:db8::1 and fe80::1; see section 1.2.3.4 of release 2.0.1.",
        "AKIAIOSFODNN7EXAMPLE and sk-xxxxxxxxxxxxxxxxxxxx and password=<your_password> and api_key = os.environ['A'].",
        "In 1997 he paid 1,234,567.89 for 12345678 shares; it was 12:30:45 on 2024-11-05, ISBN 978-0-306-40615-7.",
        "x = 3.14159265358979; y = 1234567890123456; z = 2 ** 64 == 18446744073709551616",
        "The password: swordfish. The secret of the tower is no token of love.",
    ],
)
def test_reserved_examples_and_what_only_looks_like_it_pass(text: str) -> None:
    assert said(text).explanation == ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ask bob.k@gmail.com.", "e-mail address"),
        ("Call (415) 555-2671 now", "telephone number"),
        ("+44 7911 123456", "telephone number"),
        ("my card 4539 1488 0343 6467", "card number"),
        ("DE44500105175407324931", "bank account number"),
        ("078-05-1121", "social security number"),
        ("JG 10 37 59 A", "national insurance number"),
        ("from 93.184.216.34 and", "IP address"),
        ("at 2a02:8109:9440:1198::5 again", "IP address"),
        ("His passport is X12345678.", "passport or licence number"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "key of a service"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("password=hunter22", "password"),
        ("mysql://root:pa55w0rt@db/main", "password"),
    ],
)
def test_each_kind_is_named_and_nothing_but_two_characters_is_told(text: str, kind: str) -> None:
    verdict = said(f"So it was. {text}")
    assert verdict.evidence["kind"] == kind
    assert (verdict.outcome, verdict.evidence["turn"]) == ("fail", "0")
    shown = verdict.evidence["text"].rstrip("*")
    assert len(shown) == 2
    assert text[int(verdict.evidence["place"]) - len("So it was. ") :]


@pytest.mark.parametrize("fault", KINDS)
def test_no_more_than_two_characters_of_what_was_planted_leave_with_the_verdict(fault: Plant) -> None:
    rng, words = random.Random(3), ["so", "it", "was"]
    for n in range(60):
        one = fault(sample(n, " ".join(words)), rng)
        (verdict,) = CHECK.over(batch(one))
        told = f"{verdict.explanation} {' '.join(verdict.evidence.values())}"
        planted = {part.strip(".,:;()[]\"'") for part in one.turns[0].text.split()}
        assert not [part for part in planted if len(part) > 3 and set(part) & set("@0123456789") and part in told]
