"""Personal data of a real person, and secrets.

Events and logs travel, so the evidence names kind and place and shows two characters at most. What is reserved for
examples passes: example.com, 555-01xx, 192.0.2.0/24, test cards, keys that spell EXAMPLE.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from services.faults.checksums import iban_length, is_card, is_public_address
from services.faults.fault import Fault
from streams.samples import Sample

_BESIDE = 40  # characters before a number in which the word stands that tells what it is
_RESERVED_HOSTS = (
    "example.com", "example.org", "example.net", "example.edu", ".example", ".test", ".invalid", ".localhost"
)  # fmt: skip
_PHONE_DIGITS = range(8, 16)  # of an international number, E.164
_NATIONAL_DIGITS = 10  # of a North American number
_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})
_OF_A_VERSION = ("version ", " v", "release ")
_LEAST_LETTERS = 8  # distinct characters of a key; "sk-xxxxxxxx" is none
_NOT_SAID = re.compile(
    r"example|your|x{4}|\*{3}|changeme|placeholder|dummy|redacted|sample|secret|passw|1234567890|\.\.\.", re.IGNORECASE
)
_JWT_OF_JWT_IO = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"

_WORDS = {
    "phone": re.compile(
        r"\b(?:tel|phone|telephone|call|mobile|cell|fax|ring|whatsapp|text|number is)\b", re.IGNORECASE
    ),
    "card": re.compile(r"\b(?:cards?|visa|mastercard|amex|american express|discover|credit|debit|cc)\b", re.IGNORECASE),
    "passport": re.compile(
        r"\b(?:passport|driver'?s?|driving|licen[cs]e|identity card|id card|national id|id (?:number|no))\b",
        re.IGNORECASE,
    ),
    "ssn": re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE),
}
_EMAIL = re.compile(
    r"(?P<email>(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,5}[A-Za-z]{2,24})(?![\w-]))"
)
_NUMBERS = re.compile(
    r"(?<![\w.,-])(?:"
    r"(?P<iban>[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9]))"
    r"|(?P<passport>[A-Z]{1,2}\d{6,8}(?!\w))"
    r"|(?P<nino>[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w))"
    r"|(?P<card>\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{1,7}(?!\d)|\d{4}[ -]\d{6}[ -]\d{4,5}(?!\d)"
    r"|\d{13,19}(?!\.?\d))"
    r"|(?P<address>\d{1,3}(?:\.\d{1,3}){3}(?![\w.]?\d))"
    r"|(?P<ssn>\d{3}-\d{2}-\d{4}(?![\d-]))"
    r"|(?P<phone>\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]?\d{2,6}){1,5}(?!\d)"
    r"|(?:1[ .-])?\(?[2-9]\d{2}\)?[ .-]{1,2}[2-9]\d{2}[ .-]\d{4}(?![\d-])"
    r"|\(?0\d{2,4}\)? \d{3,4} \d{3,4}(?!\d))"
    r"|(?P<digits>\d{9,11}(?!\.?\d))"
    r"|(?P<address6>[0-9a-fA-F]{1,4}:[0-9a-fA-F:]{8,34}(?![\w:]))"
    r")"
)
_KEYS = re.compile(
    r"(?P<key>(?<![A-Za-z0-9])(?:(?:AKIA|ASIA)[A-Z0-9]{16}\b|AIza[\w-]{35}|ya29\.[\w-]{20,}|gh[pousr]_[A-Za-z0-9]{36}"
    r"|github_pat_\w{40,}|glpat-[\w-]{20}|xox[abeoprs]-[\w-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|sk-[\w-]{20,}|hooks\.slack\.com/services/T\w+/B\w+/\w{16,}))"
    r"|(?P<jwt>\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{10,})"
    r"|(?P<private>-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----)"
    r"|(?P<password>(?i:passw(?:or)?d|passwd|pwd|passphrase|secret(?:_?access)?_?(?:key)?|api_?key|(?:access|auth)_?token)"
    r"[\"']?\s{0,2}[=:]\s{0,2}[\"']?(?=(?P<value>[^\s\"'<>(){}\[\],;]{6,})))"
    r"|(?P<login>\b[a-z][a-z0-9+]{1,20}://[^\s:/@]{1,40}:(?P<word>[^\s:/@]{4,80})@)"
)
_KEY_CUES = (
    "AKIA", "ASIA", "AIza", "ya29.", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "k_live_",
    "k_test_", "sk-", "hooks.slack", "eyJ", "BEGIN ", "://", "assw", "ASSW", "pwd", "PWD", "assphrase", "ecret",
    "ECRET", "oken", "OKEN", "key", "KEY", "Key",
)  # fmt: skip
_BARE_KEY_CUES = ("PRIVATE KEY", "://")  # the rest holds a digit
_NAMES = {
    "email": "e-mail address", "phone": "telephone number",
    "card": "card number", "iban": "bank account number", "ssn": "social security number",
    "nino": "national insurance number", "address": "IP address", "address6": "IP address",
    "passport": "passport or licence number", "digits": "passport or licence number",
    "key": "key of a service", "jwt": "token", "private": "private key", "password": "password", "login": "password",
}  # fmt: skip


def personal(sample: Sample) -> Fault | None:
    """Return the first of any turn; one without a digit, an "@" or a key's beginning costs next to nothing."""
    for number, turn in enumerate(sample.turns):
        for kind, place, value in _found(turn.text):
            masked = f"{value[:2]}******"
            evidence = {"kind": _NAMES[kind], "turn": str(number), "place": str(place), "text": masked}
            what = _NAMES[kind]
            return Fault(evidence, f"Turn {number} holds what looks like a real {what} at character {place}.")
    return None


def _found(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield what holds up: kind, place and value."""
    has_digit = any(digit in text for digit in "0123456789")
    if any(cue in text for cue in (_KEY_CUES if has_digit else _BARE_KEY_CUES)):
        yield from _held(text, _KEYS)
    if "@" in text:
        yield from _held(text, _EMAIL)
    if has_digit:
        yield from _held(text, _NUMBERS)


def _held(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, int, str]]:
    for match in pattern.finditer(text):
        groups = {kind: value for kind, value in match.groupdict().items() if value is not None}
        kind = next(kind for kind in groups if kind in _NAMES)
        value = groups.get("value") or groups.get("word") or groups[kind]
        before = text[max(0, match.start() - _BESIDE) : match.start()]
        if _HOLDS[kind](value, before):
            yield kind, match.start(), value


def _email(value: str, _before: str) -> bool:
    local, _, host = value.lower().partition("@")
    return local != "git" and not host.endswith(_RESERVED_HOSTS) and not host.startswith("example.")


def _phone(value: str, before: str) -> bool:
    digits = "".join(filter(str.isdigit, value))
    if len(digits) not in _PHONE_DIGITS:
        return False
    if value[0] == "+" and not digits.startswith("1"):
        return not digits.startswith(("447700900", "442079460", "441632960"))
    if value[0] == "0" or value.startswith("(0"):
        return not digits.startswith(("07700900", "0207946", "01632960"))
    digits = digits.removeprefix("1")
    is_separated = not value[0].isdigit() or "-" in value or "." in value or ")" in value
    if len(digits) != _NATIONAL_DIGITS or digits[:3] in _TOLL_FREE or (digits[3:6] == "555" and digits[6:8] == "01"):
        return False
    return is_separated or _WORDS["phone"].search(before) is not None


def _card(value: str, before: str) -> bool:
    digits = "".join(filter(str.isdigit, value))
    is_grouped = not value.isdigit()
    return is_card(digits) and (is_grouped or _WORDS["card"].search(before) is not None)


def _ssn(value: str, _before: str) -> bool:
    area, group, serial = value.split("-")
    is_valid = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
    return is_valid and value not in ("078-05-1120", "219-09-9999", "123-45-6789")


def _nino(value: str, _before: str) -> bool:
    plain = value.replace(" ", "")
    return plain[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ") and plain[:8] != "AB123456"


def _passport(_value: str, before: str) -> bool:
    return _WORDS["passport"].search(before) is not None


def _digits(value: str, before: str) -> bool:
    if len(value) == len("123456789") and value != "123456789":
        return _passport(value, before) or _WORDS["ssn"].search(before) is not None
    return False


def _key(value: str, _before: str) -> bool:
    is_told = _NOT_SAID.search(value) is None and _JWT_OF_JWT_IO not in value
    return is_told and len(set(value)) >= _LEAST_LETTERS and any(map(str.isdigit, value))


def _password(value: str, _before: str) -> bool:
    is_mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return is_mixed and value[0] not in "$%" and "." not in value[1:-1] and _NOT_SAID.search(value) is None


_HOLDS: Mapping[str, Callable[[str, str], bool]] = {
    "email": _email,
    "phone": _phone,
    "card": _card,
    "iban": lambda value, _: iban_length(value) is not None,
    "ssn": _ssn,
    "nino": _nino,
    "address": lambda value, before: (
        not before.lower().endswith(("version ", "v", "release ")) and is_public_address(value)
    ),
    "address6": lambda value, _: is_public_address(value.rstrip(":")),
    "passport": _passport,
    "digits": _digits,
    "key": _key,
    "jwt": _key,
    "private": lambda _value, _before: True,
    "password": _password,
    "login": lambda value, _: _NOT_SAID.search(value) is None and value[0] not in "${<",
}
