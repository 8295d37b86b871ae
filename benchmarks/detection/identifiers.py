"""What numbers do states, tax offices and health services give out? By their own formulas.

Runs in an environment with Faker and without Headgate.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import Any, Final

from faker import Faker

LOCALES: Final = {
    "en": ("en_US", "en_GB"),
    "de": ("de_DE",),
    "fr": ("fr_FR",),
    "es": ("es_ES",),
    "it": ("it_IT",),
    "nl": ("nl_NL",),
    "pt": ("pt_PT", "pt_BR"),
    "zh": ("zh_CN",),
}

_UPPER: Final = string.ascii_uppercase
_DIGITS: Final = string.digits
_ALNUM: Final = string.ascii_letters + string.digits
_HEX: Final = "0123456789abcdef"


class Identifiers:
    """Makes numbers that states, tax offices and health services give out."""

    def __init__(self, language: str, source: random.Random) -> None:
        self.language = language
        self._random = source
        self._fakers = [Faker(locale) for locale in LOCALES[language]]
        self._by_locale = {
            locale: Faker(locale)
            for locale in (
                "en_US",
                "de_DE",
                "fr_FR",
                "es_ES",
                "it_IT",
                "nl_NL",
                "pt_PT",
                "pt_BR",
                "zh_CN",
            )
        }
        for number, faker in enumerate([*self._fakers, *self._by_locale.values()]):
            faker.seed_instance(source.randrange(2**32) + number)

    def _any(self) -> Any:
        return self._random.choice(self._fakers)

    def _of(self, alphabet: str, length: int) -> str:
        return "".join(self._random.choices(alphabet, k=length))

    def _filled(self, pattern: str) -> str:
        """`pattern` with ? as any digit, ! as any digit but 0, A as any capital."""
        fill: dict[str, Callable[[], str]] = {
            "?": lambda: self._random.choice(_DIGITS),
            "!": lambda: self._random.choice("123456789"),
            "A": lambda: self._random.choice(_UPPER),
        }
        return "".join(fill[sign]() if sign in fill else sign for sign in pattern)

    # Numbers of states

    def us_ssn(self) -> str:
        area = self._random.choice([*range(1, 666), *range(667, 900)])
        parts = (
            f"{area:03d}",
            f"{self._random.randint(1, 99):02d}",
            f"{self._random.randint(1, 9999):04d}",
        )
        return self._random.choice(["-", "-", "-", " "]).join(parts)

    def gb_nino(self) -> str:
        prefix = self._random.choice(["AB", "CE", "HJ", "JK", "LM", "PR", "SC", "WX", "YZ", "NA"])
        number = self._of(_DIGITS, 6)
        suffix = self._random.choice("ABCD")
        spaced = f"{prefix} {number[:2]} {number[2:4]} {number[4:]} {suffix}"
        return self._random.choice([prefix + number + suffix, spaced])

    def de_rvnr(self) -> str:
        number = str(self._by_locale["de_DE"].rvnr())
        spaced = f"{number[:2]} {number[2:8]} {number[8]} {number[9:]}"
        return self._random.choice([number, spaced])

    def fr_nir(self) -> str:
        # INSEE: the rest of the division by 97, taken from 97.
        number = self._random.randint
        department = self._random.choice([*range(1, 20), *range(21, 96)])
        body = f"{number(1, 2)}{number(0, 99):02d}{number(1, 12):02d}{department:02d}"
        body += f"{number(1, 990):03d}{number(1, 999):03d}"
        key = 97 - int(body) % 97
        whole = f"{body}{key:02d}"
        spaced = " ".join(
            (whole[0], whole[1:3], whole[3:5], whole[5:7], whole[7:10], whole[10:13], whole[13:])
        )
        return self._random.choice([whole, spaced])

    def es_dni(self) -> str:
        number = self._random.randint(10_000_000, 99_999_999)
        letter = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
        dotted = f"{number:,}".replace(",", ".")
        return self._random.choice(
            [f"{number}{letter}", f"{number}-{letter}", f"{dotted}-{letter}"]
        )

    def es_nie(self) -> str:
        first, rest = self._random.randint(0, 2), self._of(_DIGITS, 7)
        letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(f"{first}{rest}") % 23]
        return self._random.choice(
            [f"{'XYZ'[first]}{rest}{letter}", f"{'XYZ'[first]}-{rest}-{letter}"]
        )

    def it_cf(self) -> str:
        return str(self._by_locale["it_IT"].ssn())

    def nl_bsn(self) -> str:
        return str(self._by_locale["nl_NL"].ssn())

    def br_cpf(self) -> str:
        number = str(self._by_locale["pt_BR"].cpf())
        return self._random.choice([number, number, number.replace(".", "").replace("-", "")])

    def cn_ric(self) -> str:
        return str(self._by_locale["zh_CN"].ssn())

    # Tax offices

    def us_ein(self) -> str:
        return str(self._by_locale["en_US"].ein())

    def us_itin(self) -> str:
        return str(self._by_locale["en_US"].itin())

    def eu_vat(self) -> str:
        locale = {"en": "de_DE", "de": "de_DE", "fr": "fr_FR", "nl": "nl_NL"}[self.language]
        if locale == "fr_FR":
            # Two digits from the nine of the firm's own number, which ends in Luhn's.
            body = self._of("123456789", 8)
            doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(body)]
            check = -sum(number - 9 * (number > 9) for number in doubled) % 10
            firm = f"{body}{check}"
            return f"FR{(12 + 3 * (int(firm) % 97)) % 97:02d}{firm}"
        if locale == "nl_NL":
            while True:
                body = self._of(_DIGITS, 8)
                check = (
                    sum(
                        int(digit) * weight
                        for digit, weight in zip(body, range(9, 1, -1), strict=True)
                    )
                    % 11
                )
                if check < 10 and int(body) > 9_999_999:
                    return f"NL{body}{check}B0{self._random.randint(1, 9)}"
        product = 10
        body = "".join((self._random.choice("123456789"), self._of(_DIGITS, 7)))
        for digit in body:
            product = 2 * ((int(digit) + product) % 10 or 10) % 11
        return f"DE{body}{(11 - product) % 10}"

    def de_idnr(self) -> str:
        # One digit stands twice, one not at all, and the last comes from ISO 7064.
        digits = self._random.sample(_DIGITS, 9)
        while digits[0] == "0":
            self._random.shuffle(digits)
        digits.insert(self._random.randint(2, 9), digits[0])
        product = 10
        for digit in digits:
            product = 2 * ((int(digit) + product) % 10 or 10) % 11
        whole = "".join(digits) + str((11 - product) % 10)
        return self._random.choice([whole, f"{whole[:2]} {whole[2:5]} {whole[5:8]} {whole[8:]}"])

    def fr_siret(self) -> str:
        return str(self._by_locale["fr_FR"].siret())

    def es_cif(self) -> str:
        return str(self._by_locale["es_ES"].cif())

    def it_iva(self) -> str:
        body = "0" + self._of(_DIGITS, 6) + f"{self._random.randint(1, 99):03d}"
        doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(body)]
        return f"{body}{-sum(number - 9 * (number > 9) for number in doubled) % 10}"

    def br_cnpj(self) -> str:
        return str(self._by_locale["pt_BR"].cnpj())

    def pt_nif(self) -> str:
        body = self._random.choice("125") + self._of(_DIGITS, 7)
        total = sum(
            int(digit) * weight for digit, weight in zip(body, range(9, 1, -1), strict=True)
        )
        return f"{body}{(11 - total % 11) % 11 % 10}"

    def cn_uscc(self) -> str:
        alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        body = "91" + "310000" + "MA" + self._of(alphabet, 7)
        total = sum(alphabet.index(sign) * pow(3, place, 31) for place, sign in enumerate(body))
        return body + alphabet[(31 - total % 31) % 31]

    # Passports

    def passport(self) -> str:
        return self._filled(self._random.choice(["!????????", "A????????", "!????????"]))

    def passport_de(self) -> str:
        return (
            self._random.choice("CFGHJK")
            + self._of("CFGHJKLMNPRTVWXYZ0123456789", 6)
            + self._of(_DIGITS, 2)
        )

    def passport_fr(self) -> str:
        return self._filled("!?AA?????")

    def passport_es(self) -> str:
        return self._filled(self._random.choice(["AAA??????", "AA??????"]))

    def passport_it(self) -> str:
        return f"Y{self._random.choice('AB')}{self._of(_DIGITS, 7)}"

    def passport_nl(self) -> str:
        return "N" + self._of("ABCDEFGHJKLMNPRSTUVWXYZ", 1) + self._filled("!????A?")

    def passport_pt(self) -> str:
        return self._filled(self._random.choice(["AA??????", "A??????"]))

    def passport_cn(self) -> str:
        return self._filled(self._random.choice(["E????????", "G????????"]))

    # Health

    def nhs(self) -> str:
        while True:
            body = self._random.choice("456") + self._of(_DIGITS, 8)
            check = (
                11
                - sum(
                    int(digit) * weight
                    for digit, weight in zip(body, range(10, 1, -1), strict=True)
                )
                % 11
            )
            if check != 10:
                whole = f"{body}{check % 11}"
                return self._random.choice(
                    [
                        whole,
                        f"{whole[:3]} {whole[3:6]} {whole[6:]}",
                        f"{whole[:3]}-{whole[3:6]}-{whole[6:]}",
                    ]
                )

    def mbi(self) -> str:
        letters = "ACDEFGHJKMNPQRTUVWXY"
        either = letters + _DIGITS
        parts = (
            self._random.choice("123456789")
            + self._of(letters, 1)
            + self._of(either, 1)
            + self._of(_DIGITS, 1),
            self._of(letters, 1) + self._of(either, 1) + self._of(_DIGITS, 1),
            self._of(letters, 2) + self._of(_DIGITS, 2),
        )
        return self._random.choice(["", "-"]).join(parts)

    def mrn(self) -> str:
        return self._filled(
            self._random.choice(
                ["!??????", "MR-!?????", "!???????", "H!??-????", "P!??????", "2024-!?????"]
            )
        )

    def kvnr(self) -> str:
        return str(self._by_locale["de_DE"].kvnr())
