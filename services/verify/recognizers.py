"""Presidio's recognizers of numbers that are given to one person, without network and without a model of its own.

Names, places, dates and addresses are not asked for: a text about people is no fault. Nor is what `privacy` finds
(e-mail addresses, telephone, card and account numbers, keys and more), what anybody can look up (postcodes, plates,
companies), or what neither a checksum nor a word beside it makes sure, as a Canadian SIN, for sin is a word. Comes with
the extra `presidio` only.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from streams.errors import UnavailableError

_LANGUAGE = "en"  # the name under which all of them run; their numbers are of many countries
_PACKAGE = "presidio_analyzer"
_WORD = 0.35  # what a word beside a number adds to its score, Presidio's own default


class Kind(NamedTuple):
    """What a recognizer, by its class, finds.

    `words` are more that may stand beside it than those of Presidio, of which it sees single ones only; `is_sure` where
    form and checksum together are met by no chance.
    """

    recognizer: str
    told: str
    words: tuple[str, ...] = ()
    is_sure: bool = False


KINDS = {
    "AU_MEDICARE": Kind("AuMedicareRecognizer", "Australian health insurance number"),
    "AU_TFN": Kind("AuTfnRecognizer", "Australian tax number", ("tax",)),
    "CRYPTO": Kind("CryptoRecognizer", "address of a wallet", is_sure=True),
    "DE_SOCIAL_SECURITY": Kind("DeSocialSecurityRecognizer", "German pension insurance number"),
    "DE_TAX_ID": Kind("DeTaxIdRecognizer", "German tax number", ("steuer", "tax", "idnr")),
    "ES_NIE": Kind("EsNieRecognizer", "Spanish identity number"),
    "ES_NIF": Kind("EsNifRecognizer", "Spanish identity number"),
    "FI_PERSONAL_IDENTITY_CODE": Kind("FiPersonalIdentityCodeRecognizer", "Finnish identity code", is_sure=True),
    "IN_AADHAAR": Kind("InAadhaarRecognizer", "Indian identity number"),
    "IN_PAN": Kind("InPanRecognizer", "Indian tax number"),
    "IT_FISCAL_CODE": Kind("ItFiscalCodeRecognizer", "Italian tax code", is_sure=True),
    "KR_RRN": Kind("KrRrnRecognizer", "Korean identity number", ("resident",)),
    "MEDICAL_LICENSE": Kind("MedicalLicenseRecognizer", "physician's licence"),
    "NG_NIN": Kind("NgNinRecognizer", "Nigerian identity number", ("identity", "identification")),
    "PL_PESEL": Kind("PlPeselRecognizer", "Polish identity number"),
    "SE_PERSONNUMMER": Kind("SePersonnummerRecognizer", "Swedish identity number"),
    "SG_NRIC_FIN": Kind("SgFinRecognizer", "Singaporean identity number"),
    "TH_TNIN": Kind("ThTninRecognizer", "Thai identity number", ("thai",)),
    "TR_NATIONAL_ID": Kind("TrNationalIdRecognizer", "Turkish identity number", ("tckn", "kimlik")),
    "UK_DRIVING_LICENCE": Kind("UkDrivingLicenceRecognizer", "British driving licence", ("licence", "license")),
    "UK_NHS": Kind("NhsRecognizer", "British health service number"),
    "US_ITIN": Kind("UsItinRecognizer", "American tax number"),
    "US_MBI": Kind("UsMbiRecognizer", "American health insurance number"),
    "ZA_ID_NUMBER": Kind("ZaIdNumberRecognizer", "South African identity number"),
}


class Found(NamedTuple):
    """A number of a person: its kind, a key of KINDS, its place in the text, and a score of 0 to 1."""

    kind: str
    start: int
    end: int
    score: float


def require(model: str | None) -> None:
    """Raise UnavailableError if the extra, or the spaCy pipeline that it is to use, is missing. Imports nothing."""
    if find_spec(_PACKAGE) is None:
        raise UnavailableError(
            "verify.checks names presidio, which is not installed; run pip install 'ballast[presidio]', or leave it "
            "out there"
        )
    if model is not None and find_spec(model) is None:
        raise UnavailableError(
            f"verify.presidio_model names {model}, which is not installed; install that spaCy pipeline, or leave it out"
        )


class Recognizers:
    """All of KINDS, from a score on; takes a second to make, and never the network.

    Words beside a number are brought to their base form by `model`, a spaCy pipeline; without one, to lower case.
    """

    def __init__(self, least: float, model: str | None) -> None:
        self._least = least
        self._engine = _engine(least, model)

    def found(self, text: str) -> list[Found]:
        """Return what holds up, by place: a number that may be any needs a word beside it that says what it is."""
        results = self._engine.analyze(text, _LANGUAGE, score_threshold=self._least, return_decision_process=True)
        return sorted(
            (
                Found(each.entity_type, each.start, each.end, each.score)
                for each in results
                if KINDS[each.entity_type].is_sure or each.analysis_explanation.supportive_context_word
            ),
            key=lambda found: found.start,
        )


@cache
def _engine(least: float, model: str | None) -> Any:
    import presidio_analyzer.predefined_recognizers as known  # noqa: PLC0415 - a second to import, and an extra
    import spacy  # noqa: PLC0415
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry  # noqa: PLC0415
    from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer  # noqa: PLC0415
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415

    language = SpacyNlpEngine()
    language.nlp = {_LANGUAGE: spacy.load(model) if model else _plain()}  # what is loaded is never fetched
    made = []
    for kind in KINDS.values():
        recognizer = getattr(known, kind.recognizer)(supported_language=_LANGUAGE)
        recognizer.context = [*(recognizer.context or ()), *kind.words]
        if type(recognizer).validate_result is PatternRecognizer.validate_result:
            # Without a checksum a pattern gets as far as a word beside it takes it; some that don't get there take a
            # second for a long text.
            recognizer.patterns = [one for one in recognizer.patterns if one.score + _WORD >= least]
        made.append(recognizer)
    return AnalyzerEngine(
        RecognizerRegistry(made, supported_languages=[_LANGUAGE]),
        language,
        # of parts of words `fin` would stand in `final`
        context_aware_enhancer=LemmaContextAwareEnhancer(_WORD, context_matching_mode="whole_word"),
    )


def _plain() -> Any:
    """Return a pipeline without a model, in which words in lower case are their own base forms."""
    import spacy  # noqa: PLC0415

    def lowered(document: Any) -> Any:
        for token in document:
            token.lemma_ = token.lower_
        return document

    spacy.Language.component("ballast_lowered", func=lowered)
    found = spacy.blank(_LANGUAGE)
    found.add_pipe("ballast_lowered")
    return found
