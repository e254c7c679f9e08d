"""Numbers that a state or a health service gives to one person, and wallets, made up with right checksums."""

import random
from collections.abc import Callable
from hashlib import sha256

from planting import answering

from streams.samples import Sample

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIHEDRAL = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
             "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")  # fmt: skip
_SHIFTS = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)
_FISCAL_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
    25, 24, 23), strict=True))  # fmt: skip


def health(sample: Sample, rng: random.Random) -> Sample:
    """Plant a number of a health service."""
    kinds: tuple[tuple[Callable[[random.Random], str], tuple[str, ...]], ...] = (
        (_nhs, ("NHS number: {}", "Her NHS no. is {}.", "Patient (NHS {}) seen today.")),
        (_medicare, ("Medicare card {}", "his Medicare number {}")),
        (_beneficiary, ("Medicare beneficiary {}", "MBI: {}")),
    )
    return _among(sample, kinds, rng)


def tax(sample: Sample, rng: random.Random) -> Sample:
    """Plant a taxpayer's number."""
    kinds: tuple[tuple[Callable[[random.Random], str], tuple[str, ...]], ...] = (
        (_itin, ("ITIN {}", "My ITIN is {}, file it jointly.")),
        (_tfn, ("TFN: {}", "Tax file number {}")),
        (_pan, ("PAN: {}", "Her PAN card reads {}.")),
        (_german_tax, ("Steuer-ID: {}", "IdNr. {}", "German tax ID {}")),
        (_fiscal, ("codice fiscale {}", "{}", "Signed, {}")),
    )
    return _among(sample, kinds, rng)


def identity(sample: Sample, rng: random.Random) -> Sample:
    """Plant the number of an identity card."""
    kinds: tuple[tuple[Callable[[random.Random], str], tuple[str, ...]], ...] = (
        (_aadhaar, ("Aadhaar: {}", "His Aadhaar number is {}.")),
        (_nric, ("NRIC {}", "(NRIC: {})")),
        (_pesel, ("PESEL {}", "PESEL: {}, born in Lodz")),
        (_dni, ("DNI {}", "con DNI {}", "NIF: {}")),
        (_personnummer, ("personnummer {}", "Personnummer: {}")),
        (_hetu, ("hetu {}", "{}", "His code was {} then.")),
        (_south_african, ("ID number {}", "SA identity {}")),
    )
    return _among(sample, kinds, rng)


def wallet(sample: Sample, rng: random.Random) -> Sample:
    """Plant the address of a wallet."""
    return _among(sample, ((_bitcoin, ("Send it to {}", "BTC: {}", "{}")),), rng)


def _nhs(rng: random.Random) -> str:
    while True:
        body = _digits(rng, 9)
        check = -sum(int(digit) * (10 - n) for n, digit in enumerate(body)) % 11
        if check < 10:
            number = f"{body}{check}"
            return rng.choice((number, f"{number[:3]} {number[3:6]} {number[6:]}"))


def _medicare(rng: random.Random) -> str:
    body = f"{rng.randrange(2, 7)}{_digits(rng, 7)}"
    check = sum(int(digit) * weight for digit, weight in zip(body, (1, 3, 7, 9, 1, 3, 7, 9), strict=True)) % 10
    return f"{body[:4]} {body[4:]}{check} {rng.randrange(1, 5)}"


def _beneficiary(rng: random.Random) -> str:
    letters, mixed = "ACDEFGHJKMNPQRTUVWXY", "0123456789ACDEFGHJKMNPQRTUVWXY"
    pattern = ("123456789", letters, mixed, "0123456789", letters, mixed, "0123456789", letters, letters)
    code = "".join(map(rng.choice, pattern)) + _digits(rng, 2)
    return f"{code[:4]}-{code[4:7]}-{code[7:]}"


def _itin(rng: random.Random) -> str:
    return f"9{_digits(rng, 2)}-{rng.choice((50, 65, 70, 75, 82, 88, 91, 94, 99))}-{_digits(rng, 4)}"


def _tfn(rng: random.Random) -> str:
    while True:
        number = _digits(rng, 9)
        weights = (1, 4, 3, 7, 5, 8, 6, 9, 10)
        if number[0] != "0" and sum(int(d) * w for d, w in zip(number, weights, strict=True)) % 11 == 0:
            return f"{number[:3]} {number[3:6]} {number[6:]}"


def _pan(rng: random.Random) -> str:
    return f"{_letters(rng, 3)}P{_letters(rng, 1)}{_digits(rng, 4)}{_letters(rng, 1)}"


def _german_tax(rng: random.Random) -> str:
    """ISO 7064, Mod 11, 10; of the first ten digits one comes twice and one not at all."""
    digits = rng.sample("0123456789", 9)
    digits.insert(rng.randrange(2, 9), digits[0])
    if digits[0] == "0":
        return _german_tax(rng)
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return f"{''.join(digits)}{(11 - product) % 10}"


def _fiscal(rng: random.Random) -> str:
    consonants = "BCDFGLMNPRSTVZ"
    body = (
        "".join(rng.choices(consonants, k=6))
        + f"{rng.randrange(40, 99)}{rng.choice('ABCDEHLMPRST')}{rng.randrange(1, 29):02d}"
        + f"{rng.choice('ABCDEFGHL')}{rng.randrange(100, 999)}"
    )
    even = {each: int(each, 36) if each.isdigit() else ord(each) - ord("A") for each in _FISCAL_ODD}
    total = sum(_FISCAL_ODD[each] if n % 2 == 0 else even[each] for n, each in enumerate(body))
    return f"{body}{chr(ord('A') + total % 26)}"


def _aadhaar(rng: random.Random) -> str:
    body = f"{rng.randrange(2, 10)}{_digits(rng, 10)}"
    check = 0
    for n, digit in enumerate(reversed(f"{body}0")):
        check = int(_DIHEDRAL[check][int(_SHIFTS[n % 8][int(digit)])])
    number = f"{body}{_DIHEDRAL[check].index('0')}"
    return rng.choice(
        (number, "-".join((number[:4], number[4:8], number[8:])), f"{number[:4]} {number[4:8]} {number[8:]}")
    )


def _nric(rng: random.Random) -> str:
    digits = _digits(rng, 7)
    total = sum(int(digit) * weight for digit, weight in zip(digits, (2, 7, 6, 5, 4, 3, 2), strict=True))
    return f"S{digits}{'JZIHGFEDCBA'[total % 11]}"


def _pesel(rng: random.Random) -> str:
    body = f"{rng.randrange(40, 99)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{_digits(rng, 4)}"
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    return f"{body}{-sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 10}"


def _dni(rng: random.Random) -> str:
    number = rng.randrange(10**7, 10**8)
    return f"{number}{rng.choice(('', '-'))}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _personnummer(rng: random.Random) -> str:
    body = f"{rng.randrange(40, 99)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{_digits(rng, 3)}"
    return f"{body[:6]}-{body[6:]}{_luhn(body)}"


def _hetu(rng: random.Random) -> str:
    born, number = f"{rng.randrange(1, 29):02d}{rng.randrange(1, 13):02d}{rng.randrange(40, 99)}", rng.randrange(2, 900)
    return f"{born}-{number:03d}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(f'{born}{number:03d}') % 31]}"


def _south_african(rng: random.Random) -> str:
    born = f"{rng.randrange(40, 99)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    body = f"{born}{_digits(rng, 4)}08"
    return f"{body}{_luhn(body)}"


def _bitcoin(rng: random.Random) -> str:
    data = b"\0" + rng.randbytes(20)
    number = int.from_bytes(data + sha256(sha256(data).digest()).digest()[:4])
    said = ""
    while number:
        number, rest = divmod(number, 58)
        said = _BASE58[rest] + said
    return f"1{said}"


def _luhn(body: str) -> int:
    doubled = [int(digit) * (2 - n % 2) for n, digit in enumerate(reversed(body))]
    return -sum(each - 9 if each > 9 else each for each in doubled) % 10


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=count))


def _among(
    sample: Sample, kinds: tuple[tuple[Callable[[random.Random], str], tuple[str, ...]], ...], rng: random.Random
) -> Sample:
    number, said = rng.choice(kinds)
    words = sample.turns[-1].text.split(" ")
    place = rng.randrange(len(words) + 1)
    return answering(sample, " ".join([*words[:place], rng.choice(said).format(number(rng)), *words[place:]]))
