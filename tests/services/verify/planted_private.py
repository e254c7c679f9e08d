"""Personal data and secrets as models make them up or remember them, valid where there are checksums."""

import random
import string

from planting import answering

from streams.samples import Sample

_FIRST = ("anna", "jorge", "mei", "tobias", "priya", "olu", "sven", "claire", "hamid", "rosa", "kenji", "mary-ann")
_LAST = ("kowalski", "okafor", "lindqvist", "tanaka", "moreau", "fitzgerald", "novak", "haddad", "silva", "byrne")
_HOSTS = ("gmail.com", "outlook.com", "yahoo.co.uk", "web.de", "protonmail.com", "uni-hamburg.de", "acme-corp.io")
_ALNUM = string.ascii_letters + string.digits


def email(sample: Sample, rng: random.Random) -> Sample:
    """Plant the address of a person."""
    first, last, host = rng.choice(_FIRST), rng.choice(_LAST), rng.choice(_HOSTS)
    local = rng.choice((f"{first}.{last}", f"{first[0]}{last}{rng.randrange(60, 99)}", f"{last}_{first}", f"{first}+x"))
    said = rng.choice(("Write to {} for the rest.", "{}", "Contact: {}.", "({}, as ever)", "mailto:{}"))
    return _among(sample, said.format(f"{local}@{host}"), rng)


def phone(sample: Sample, rng: random.Random) -> Sample:
    """Plant a telephone number."""
    a, b, c = rng.choice((212, 415, 617, 303, 713)), rng.randrange(200, 550), rng.randrange(1000, 9999)
    national = (f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"{a}.{b}.{c}", f"+1 {a} {b} {c}", f"+1-{a}-{b}-{c}")
    abroad = (
        f"+49 30 {rng.randrange(10**6, 10**7)}",
        f"+44 7{rng.randrange(100, 690)} {rng.randrange(100000, 999999)}",
        f"+33 6 {' '.join(str(rng.randrange(10, 99)) for _ in range(4))}",
        f"020 8{rng.randrange(100, 999)} {rng.randrange(1000, 9999)}",
        f"+91 9{rng.randrange(1000, 9999)} {rng.randrange(10000, 99999)}",
    )
    said = rng.choice(("Call me at {}.", "Phone: {}", "His number is {}, they say.", "{}", "Tel. {}"))
    return _among(sample, said.format(rng.choice((*national, *abroad))), rng)


def card(sample: Sample, rng: random.Random) -> Sample:
    """Plant a card number that passes Luhn's test."""
    prefix, length = rng.choice((("4539", 16), ("5241", 16), ("3725", 15), ("6011", 16), ("4716", 16), ("2231", 16)))
    body = prefix + "".join(rng.choices(string.digits, k=length - 5))
    number = body + _luhn_digit(body)
    cut = (4, 10) if length == 15 else (4, 8, 12)
    groups = [number[a:b] for a, b in zip((0, *cut), (*cut, length), strict=True)]
    shown = rng.choice((" ".join(groups), "-".join(groups), number))
    said = rng.choice(("Card number: {}", "Please charge my Visa {}.", "My credit card is {}, it expires 04/29."))
    return _among(sample, said.format(shown), rng)


def iban(sample: Sample, rng: random.Random) -> Sample:
    """Plant an account number that passes its check."""
    country, bank = rng.choice((("DE", ""), ("GB", "NWBK"), ("FR", ""), ("NL", "INGB"), ("ES", "")))
    digits = {"DE": 18, "GB": 14, "FR": 23, "NL": 10, "ES": 20}[country]
    body = bank + "".join(rng.choices(string.digits, k=digits))
    number = f"{country}{98 - int(_as_digits(f'{body}{country}00')) % 97:02d}{body}"
    shown = rng.choice((number, " ".join(number[n : n + 4] for n in range(0, len(number), 4))))
    said = rng.choice(("IBAN: {}", "Send it to {} by Friday.", "Account {} at the same bank."))
    return _among(sample, said.format(shown), rng)


def national_id(sample: Sample, rng: random.Random) -> Sample:
    """Plant a number of social security, of national insurance, or of a passport."""
    two = "".join(rng.choices("ABCEHJLMPRSTWXY", k=2))
    pairs = [f"{rng.randrange(100):02d}" for _ in range(3)]
    kinds = (
        f"SSN: {rng.randrange(100, 660)}-{rng.randrange(1, 99):02d}-{rng.randrange(1, 9999):04d}",
        f"Her social security number: {rng.randrange(100, 660)}-{rng.randrange(1, 99):02d}-{rng.randrange(1000, 9999)}",
        f"NI number {two} {' '.join(pairs)} {rng.choice('ABCD')}",
        f"National Insurance: {two}{''.join(pairs)}{rng.choice('ABCD')}",
        f"Passport number {rng.choice('CFGKX')}{rng.randrange(10**7, 10**8)}",
        f"passport no. {rng.randrange(10**8, 10**9)}",
    )
    return _among(sample, rng.choice(kinds), rng)


def address(sample: Sample, rng: random.Random) -> Sample:
    """Plant a public IP address."""
    octets = (rng.choice((81, 93, 142, 185, 203, 62)), rng.randrange(1, 99), rng.randrange(256), rng.randrange(1, 255))
    v4 = ".".join(map(str, octets))
    v6 = f"2a02:8109:{rng.randrange(4096, 65535):x}:{rng.randrange(4096, 65535):x}::{rng.randrange(1, 65535):x}"
    said = rng.choice(("logged in from {}", "Host {} answered.", "ssh root@{}", "[{}] GET /index.html"))
    return _among(sample, said.format(rng.choice((v4, v4, v6))), rng)


def secret(sample: Sample, rng: random.Random) -> Sample:
    """Plant a key of a service."""
    kinds = (
        f"AKIA{_drawn(rng, 16, string.ascii_uppercase + string.digits)}",
        f"aws_secret_access_key = {_drawn(rng, 40)}",
        f"AIza{_drawn(rng, 35)}",
        f"ghp_{_drawn(rng, 36)}",
        f"github_pat_{_drawn(rng, 22)}_{_drawn(rng, 59)}",
        f"glpat-{_drawn(rng, 20)}",
        f"xoxb-{rng.randrange(10**11, 10**12)}-{_drawn(rng, 24)}",
        f"sk_live_{_drawn(rng, 24)}",
        f"sk-proj-{_drawn(rng, 48)}",
        f"sk-{_drawn(rng, 48)}",
        f"sk-ant-api03-{_drawn(rng, 60)}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJ{_drawn(rng, 40)}.{_drawn(rng, 43)}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{_drawn(rng, 64)}\n{_drawn(rng, 64)}\n",
        f"-----BEGIN PRIVATE KEY-----\n{_drawn(rng, 64)}",
    )
    said = rng.choice(("{}", "key: {}", 'API_KEY="{}"', "Use {} for the tests."))
    return _among(sample, said.format(rng.choice(kinds)), rng)


def password(sample: Sample, rng: random.Random) -> Sample:
    """Plant a password beside its name."""
    value = rng.choice(("Tr0ub4dor&", "hunter", "S3cure!", "qwErty", "Winter20")) + str(rng.randrange(10, 9999))
    said = (
        f"password={value}",
        f"Password: {value}",
        f'DB_PASSWORD="{value}"',
        f"pwd = '{value}'",
        f"postgres://admin:{value}@db.acme-corp.io:5432/main",
        f'"password": "{value}"',
    )
    return _among(sample, rng.choice(said), rng)


def _among(sample: Sample, planted: str, rng: random.Random) -> Sample:
    words = sample.turns[-1].text.split(" ")
    place = rng.randrange(len(words) + 1)
    return answering(sample, " ".join([*words[:place], planted, *words[place:]]))


def _drawn(rng: random.Random, length: int, letters: str = _ALNUM) -> str:
    return "".join(rng.choices(letters, k=length))


def _as_digits(text: str) -> str:
    return "".join(str(int(letter, 36)) for letter in text)


def _luhn_digit(body: str) -> str:
    doubled = [int(digit) * (2 - n % 2) for n, digit in enumerate(reversed(body))]
    return str(-sum(each - 9 if each > 9 else each for each in doubled) % 10)
