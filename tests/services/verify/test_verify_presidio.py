import importlib
import random
import subprocess
import sys
from pathlib import Path

import planted_numbers as plant
import pytest
from human_texts import dialogues, documents, glosses
from planting import Plant, caught, failed
from verify_world import CODEC, SHAPE, batch, context, drain, events, put, recipe, sample, world

from services.verify import recognizers
from services.verify.checks.presidio import Presidio
from services.verify.chosen import checks
from services.verify.known import Known
from services.verify.recognizers import KINDS, Found, Recognizers
from services.verify.service import build
from streams.errors import UnavailableError
from streams.samples import Sample, Turn, Verdict, digest

PLANTS = [plant.health, plant.tax, plant.identity, plant.wallet]
ASKED = recipe(checks=["format", "presidio"])
WITHOUT_NETWORK = """
import socket
def forbidden(*_, **__):
    raise AssertionError("the network was reached for")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = forbidden
from services.verify.recognizers import Recognizers
print([found.kind for found in Recognizers(0.6, None).found("NHS number 943 476 5919, jane@gmail.com, www.bbc.co.uk")])
"""
UNTOUCHED = """
import sys
from services.supervise import readiness
from services.verify import recognizers, service
recognizers.require(None)
print(sorted({"presidio_analyzer", "spacy"} & set(sys.modules)))
"""
EXAMPLES = {
    "AU_MEDICARE": "Medicare 2123 45670 1",
    "AU_TFN": "tax file number 876 543 210",
    "CRYPTO": "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "DE_SOCIAL_SECURITY": "Rentenversicherungsnummer 65170839J003",
    "DE_TAX_ID": "Steuer-ID 86095742719",
    "ES_NIE": "NIE X1234567L",
    "ES_NIF": "DNI 12345678Z",
    "FI_PERSONAL_IDENTITY_CODE": "131052-308T",
    "IN_AADHAAR": "Aadhaar 3123 4567 8909",
    "IN_PAN": "PAN ABCPE1234F",
    "IT_FISCAL_CODE": "RSSMRA85T10A562S",
    "KR_RRN": "RRN 960121-1012342",
    "MEDICAL_LICENSE": "DEA BB1388568",
    "NG_NIN": "NIN 12345678902",
    "PL_PESEL": "PESEL 44051401359",
    "SE_PERSONNUMMER": "personnummer 811218-9876",
    "SG_NRIC_FIN": "NRIC S2740116C",
    "TH_TNIN": "Thai number 1101700207455",
    "TR_NATIONAL_ID": "TCKN 10000000146",
    "UK_DRIVING_LICENCE": "driving licence MORGA753116SM9IJ",
    "UK_NHS": "NHS 943 476 5919",
    "US_ITIN": "ITIN 912-70-1234",
    "US_MBI": "MBI 1EG4-TE5-MK73",
    "ZA_ID_NUMBER": "identity number 8001015009087",
}


def ran(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def check(least: float = 0.6, model: str | None = None) -> Presidio:
    return Presidio(Recognizers(least, model))


def said(text: str) -> Verdict:
    return check().over(batch(sample("a", text)))[0]


# without the extra


class Finds:
    """Stands for the recognizers: finds what it is told wherever it stands."""

    def __init__(self, kind: str, number: str) -> None:
        self._kind, self._number = kind, number

    def found(self, text: str) -> list[Found]:
        start = text.find(self._number)
        return [Found(self._kind, start, start + len(self._number), 0.85)] if start >= 0 else []


def test_what_is_found_in_any_turn_fails_and_no_more_than_two_characters_of_it_are_told() -> None:
    one = sample("a", "nothing")
    turns = (*one.turns, Turn(role="assistant", text="It is 943 476 5919."))
    hidden = Sample(**{**{name: getattr(one, name) for name in one.__dataclass_fields__}, "turns": turns})
    passed, fault = Presidio(Finds("UK_NHS", "943 476 5919")).over(batch(one, hidden))  # type: ignore[arg-type]
    assert (passed.outcome, fault.outcome) == ("pass", "fail")
    assert fault.evidence == {
        "kind": "British health service number",
        "turn": "1",
        "place": "6",
        "text": "94******",
        "recognizer": "UK_NHS",
        "score": "0.85",
    }
    assert fault.explanation == "Turn 1 holds what looks like a real British health service number at character 6."


def test_without_the_extra_nothing_starts_that_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizers, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"^verify.checks names presidio, .*'ballast\[presidio\]', or leave it"):
        build(context(world(), ASKED))
    build(context(world(), recipe()))
    monkeypatch.setattr(recognizers, "find_spec", lambda name: None if name == "xx_none" else object())
    build(context(world(), recipe(checks=["format"], presidio_model="xx_none")))
    with pytest.raises(
        UnavailableError, match=r"^verify.presidio_model names xx_none, .*; install that spaCy pipeline"
    ):
        build(context(world(), recipe(checks=["presidio"], presidio_model="xx_none")))


# with the extra


@pytest.mark.presidio
@pytest.mark.parametrize("fault", PLANTS)
def test_nearly_all_planted_numbers_fail(fault: Plant) -> None:
    assert caught(check(), fault, documents()[:300]) >= 0.95


@pytest.mark.presidio
@pytest.mark.parametrize("texts", [documents, dialogues, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(texts: "type[list[Sample]]") -> None:
    some = texts()[:1_000]
    assert failed(check(), some) <= 0.001 * len(some)


@pytest.mark.presidio
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_with_its_place(kind: str) -> None:
    verdict = said(f"So it was: {EXAMPLES[kind]} and on.")
    assert (verdict.outcome, verdict.evidence["recognizer"]) == ("fail", kind)
    assert verdict.evidence["kind"] == KINDS[kind].told
    rest = f"So it was: {EXAMPLES[kind]}"[int(verdict.evidence["place"]) :]
    assert EXAMPLES[kind].endswith(rest)


@pytest.mark.presidio
@pytest.mark.parametrize("kind", [kind for kind, how in KINDS.items() if not how.is_sure])
def test_a_number_without_a_word_that_says_what_it_is_passes(kind: str) -> None:
    assert said(f"So it was: {EXAMPLES[kind].rpartition(' ')[2]} and on.").outcome == "pass"


@pytest.mark.presidio
@pytest.mark.parametrize(
    "text",
    [
        "Barack Obama met Angela Merkel in Berlin on 25 April 2016; both are Christians.",
        "NHS number 943 476 5918, PESEL 44051401358 and Aadhaar 3123 4567 8908 have a wrong last digit.",
        "Add 130-692-544 panes: 943 476 5919 = 8001015009087 - 86095742719. It is no sin to be 130-692-544.",
        "In finishing S2740116C, a syntax error; in panting ABCPE1234F, the companion.",
        "ISBN 0-306-40615-2, order 12345678Z, flight BB1388568, VIN 1HGCM82633A004352, commit 44051401359.",
        "RSSMRA85T10A562T is none, nor is 131052-308U, nor 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3.",
        "Write to jane@gmail.com or 4539 1488 0343 6467 or +44 7911 123456: `privacy` knows those.",
        "London SW1A 1AA, plate AB12 CDE, company 123 456 789, https://example.org/9434765919",
        "",
        "\n\t  ",
        "日本語の文章です。",
    ],
)
def test_names_places_and_what_only_looks_like_a_number_of_a_person_pass(text: str) -> None:
    assert said(text).explanation == ""


@pytest.mark.presidio
def test_the_score_from_which_it_fails_can_be_set() -> None:
    one = batch(sample("a", EXAMPLES["IN_PAN"]), sample("b", EXAMPLES["UK_NHS"]))
    assert [verdict.outcome for verdict in check(0.8).over(one)] == ["fail", "fail"]
    assert [verdict.outcome for verdict in check(0.9).over(one)] == ["pass", "fail"]


@pytest.mark.presidio
@pytest.mark.parametrize("fault", PLANTS)
def test_no_more_than_two_characters_of_what_was_planted_leave_with_the_verdict(fault: Plant) -> None:
    rng = random.Random(3)
    for n in range(40):
        one = fault(sample(n, "so it was"), rng)
        (verdict,) = check().over(batch(one))
        told = f"{verdict.explanation} {' '.join(verdict.evidence.values())}"
        planted = {part.strip(".,:;()") for part in one.turns[0].text.split()}
        assert not [part for part in planted if len(part) > 3 and any(map(str.isdigit, part)) and part in told]


@pytest.mark.presidio
def test_no_pattern_is_tried_that_never_reaches_the_score() -> None:
    import presidio_analyzer

    engine = recognizers._engine(0.6, None)
    for each in engine.registry.recognizers:
        if type(each).validate_result is presidio_analyzer.PatternRecognizer.validate_result:
            assert each.patterns
            assert min(pattern.score for pattern in each.patterns) >= 0.25


@pytest.mark.presidio
def test_a_pipeline_that_is_installed_brings_words_to_their_base_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Of all PESELS 44051401359 is one."
    assert said(text).outcome == "pass"
    package = tmp_path / "xx_tiny"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import spacy\n\n\ndef load(**_):\n    found = spacy.blank('xx')\n"
        "    ruler = found.add_pipe('attribute_ruler')\n"
        "    ruler.add([[{'LOWER': 'pesels'}]], {'LEMMA': 'pesel'})\n    return found\n"
    )
    metadata = tmp_path / "xx_tiny-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: xx-tiny\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    recognizers.require("xx_tiny")
    assert check(model="xx_tiny").over(batch(sample("a", text)))[0].outcome == "fail"


@pytest.mark.presidio
def test_it_needs_no_network() -> None:
    assert ran(WITHOUT_NETWORK) == "['UK_NHS']"


@pytest.mark.presidio
def test_nothing_of_the_extra_is_imported_before_it_is_wanted() -> None:
    assert ran(UNTOUCHED) == "[]"


@pytest.mark.presidio
def test_a_recipe_has_to_ask_for_it() -> None:
    known = Known(CODEC, "p", SHAPE)
    assert [each.name for each in checks(ASKED, known).costly] == ["presidio"]
    assert "presidio" not in [each.name for each in checks(recipe(), known).costly]


@pytest.mark.presidio
def test_the_stage_rejects_what_holds_a_number_of_a_person() -> None:
    broker = world()
    put(
        broker,
        "generate",
        [sample("a", "The NHS number is 943 476 5919, they said."), sample("b", "So it was, they say.")],
    )
    drain(broker, ASKED).close()
    (rejected,) = events(broker, "reject")
    assert (rejected.sample.sample_id, rejected.reasons) == (digest("a"), ("presidio",))
    assert [event.sample.sample_id for event in events(broker, "verify")] == [digest("b")]
