"""Numbers that prove themselves: cards by Luhn's test, bank accounts by ISO 7064, addresses by their ranges."""

from ipaddress import IPv4Address, ip_address

_EVEN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# Published by card networks and payment services for tests.
_TEST_CARDS = frozenset(
    {
        "4111111111111111", "4012888888881881", "4222222222222", "4242424242424242", "4000056655665556",
        "5555555555554444", "5105105105105100", "5200828282828210", "2223003122003222", "378282246310005",
        "371449635398431", "378734493671000", "6011111111111117", "6011000990139424", "6011981111111113",
        "30569309025904", "38520000023237", "3056930009020004", "36227206271667", "3530111333300000",
        "3566002020360505", "4917610000000000", "5019717010103742", "4484070000000000", "6250941006528599",
    }
)  # fmt: skip
_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SA": 24, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "TR": 26, "AE": 23, "BR": 29, "UA": 29,
}  # fmt: skip
_EXAMPLE_IBANS = frozenset({"GB29NWBK60161331926819", "GB82WEST12345698765432", "DE89370400440532013000",
                            "FR1420041010050500013M02606", "NL91ABNA0417164300", "ES9121000418450200051332",
                            "CH9300762011623852957", "AT611904300234573201", "BE68539007547034"})  # fmt: skip
_PUBLIC_RESOLVERS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})
_LEAST_OCTET = 64  # of the largest: below that it may be the number of a version or of a section


def is_card(digits: str) -> bool:
    """Tell whether digits are the number of a card that is no published test card."""
    known = digits[0] in "46" or "51" <= digits[:2] <= "55" or "2221" <= digits[:4] <= "2720"
    known = known or digits[:2] in ("34", "35", "37", "30", "36", "38")
    if not known or digits in _TEST_CARDS or len(set(digits)) < len("123"):
        return False
    body = [int(digit) for digit in reversed(digits)]
    return (sum(body[::2]) + sum(_EVEN_DOUBLED[digit] for digit in body[1::2])) % 10 == 0


def iban_length(text: str) -> int | None:
    """Return how many letters and digits of a text are an account number of its country; None if it is none."""
    plain = text.replace(" ", "")
    length = _IBAN_LENGTHS.get(plain[:2])
    if length is None or len(plain) < length or plain[:length] in _EXAMPLE_IBANS:
        return None
    moved = plain[4:length] + plain[:4]
    return length if int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1 else None


def is_public_address(text: str) -> bool:
    """Tell whether a text is an IP address of the public Internet; reserved and private ones are no one's."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address) and max(address.packed) < _LEAST_OCTET:
        return False
    return address.is_global and text not in _PUBLIC_RESOLVERS
