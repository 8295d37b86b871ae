"""Another value of the same form as one that is hidden: digits for digits, letters for letters.

Drawn from a keyed hash, so that the same value gets the same stand-in and nobody can tell which
value it stands for without the key. Card numbers and IBANs keep right check digits; e-mail
addresses lead to `example.com`, which nobody has (RFC 2606). Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Iterator


def stand_in_for(kind: str, value: str, number: int, key: bytes) -> str:
    """The stand-in for `value`; each `number` gives another, should one be taken already."""
    drawn = _drawn(f"{number}\n{kind}\n{value}", key)
    if kind == "email":
        return "".join(_letter(drawn, string.ascii_lowercase) for _ in range(8)) + "@example.com"
    told = "".join(_like(letter, drawn) for letter in value)
    if kind == "payment_card":
        return _with_check_digit(value[:1] + told[1:])
    if kind == "iban":
        return _with_iban_check(value[:2] + told[2:])
    return told


def _drawn(seed: str, key: bytes) -> Iterator[int]:
    """Bytes without an end, from a keyed hash."""
    block = 0
    while True:
        yield from hmac.new(key, f"{block}\n{seed}".encode(), hashlib.sha256).digest()
        block += 1


def _letter(drawn: Iterator[int], alphabet: str) -> str:
    return alphabet[next(drawn) % len(alphabet)]


def _like(letter: str, drawn: Iterator[int]) -> str:
    if letter.isdigit():
        return _letter(drawn, string.digits)
    if letter.isalpha():
        return _letter(
            drawn, string.ascii_uppercase if letter.isupper() else string.ascii_lowercase
        )
    return letter


def _with_check_digit(number: str) -> str:
    """`number` with its last digit made right by Luhn's formula (ISO/IEC 7812-1)."""
    places = [index for index, letter in enumerate(number) if letter.isdigit()]
    total = 0
    for order, place in enumerate(reversed(places[:-1])):
        digit = int(number[place])
        if order % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    last = places[-1]
    return number[:last] + str(-total % 10) + number[last + 1 :]


def _with_iban_check(iban: str) -> str:
    """`iban` with its two check digits made right (ISO 13616, ISO/IEC 7064 mod 97-10)."""
    bare = "".join(letter for letter in iban if letter.isalnum()).upper()
    rest = bare[4:] + bare[:2] + "00"
    remainder = int("".join(str(int(letter, 36)) for letter in rest)) % 97
    check = f"{98 - remainder:02d}"
    places = [index for index, letter in enumerate(iban) if letter.isalnum()][2:4]
    told = list(iban)
    for place, digit in zip(places, check, strict=True):
        told[place] = digit
    return "".join(told)
