"""What values stand in the labelled set? Made here, by Faker and by formulas of those who issue.

Runs in an environment with Faker and without Headgate, so that no pattern or list is shared.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Final

from benchmarks.detection import look_alikes
from benchmarks.detection.identifiers import LOCALES, Identifiers
from benchmarks.detection.phones import PHONES

_UPPER: Final = string.ascii_uppercase
_DIGITS: Final = string.digits
_ALNUM: Final = string.ascii_letters + string.digits
_HEX: Final = "0123456789abcdef"


class Values(Identifiers):
    """Makes values of every kind in one language; the same from the same random source."""

    def value(self, kind: str, form: str) -> tuple[str, str]:
        """A value of `kind`, and which form of the kind it is."""
        if kind in look_alikes.ALL:
            return look_alikes.ALL[kind](self._random), kind
        name = form or kind
        if (made := getattr(self, name, None)) or (made := getattr(self, f"{kind}_{form}", None)):
            value = made()
        else:
            raise KeyError(f"{kind}:{form}")
        return str(value), name

    # Contact

    def email(self) -> str:
        faker = self._any()
        name = faker.last_name().lower()
        plain = (
            "".join(letter for letter in name if letter.isascii() and letter.isalpha()) or "kontakt"
        )
        forms = [
            faker.ascii_email(),
            faker.ascii_free_email(),
            faker.ascii_company_email(),
            f"{plain}+{self._of(_DIGITS, 3)}@{faker.domain_name()}",
            f"{plain}_{self._of(_DIGITS, 2)}@mail.{faker.domain_name()}",
            f"{plain[:1]}.{plain}@{faker.domain_word()}.{self._random.choice(_DOMAINS)}",
            faker.ascii_email().upper(),
        ]
        return str(self._random.choice(forms))

    def phone(self) -> str:
        return self._filled(
            self._random.choice(PHONES[self._random.choice(LOCALES[self.language])])
        )

    # Money

    def payment_card(self) -> str:
        kind = self._random.choice(
            ["visa16", "mastercard", "amex", "discover", "diners", "jcb16", "visa16", "mastercard"]
        )
        number = str(self._by_locale["en_US"].credit_card_number(card_type=kind))
        cuts = {15: (4, 10), 14: (4, 10)}.get(len(number), (4, 8, 12))
        parts = [number[a:b] for a, b in zip((0, *cuts), (*cuts, len(number)), strict=True)]
        joined = self._random.choice(["", " ", " ", "-", "\u00a0", "."])
        return joined.join(parts)

    def iban(self) -> str:
        locale = self._random.choice(["de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_PT"])
        number = str(self._by_locale[locale].iban())
        groups = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
        return self._random.choice(
            [number, groups, groups, groups.replace(" ", "\u00a0"), number.lower()]
        )

    # Networks

    def ip_address(self) -> str:
        faker = self._by_locale["en_US"]
        return str(
            self._random.choice(
                [faker.ipv4_public(), faker.ipv4_private(), faker.ipv6(), faker.ipv4()]
            )
        )

    def mac_address(self) -> str:
        address = self._by_locale["en_US"].mac_address()
        dotted = address.replace(":", "")
        return str(
            self._random.choice(
                [
                    address,
                    address.upper(),
                    address.replace(":", "-"),
                    ".".join((dotted[:4], dotted[4:8], dotted[8:])),
                ]
            )
        )

    # People

    def date_of_birth(self) -> str:
        day = self._by_locale["en_US"].date_of_birth(minimum_age=1, maximum_age=95)
        return look_alikes.date_in(self.language, day, self._random)

    def person(self) -> str:
        faker = self._any()
        if self.language == "zh":
            return str(faker.name())
        first, last = faker.first_name(), faker.last_name()
        forms = [
            f"{first} {last}",
            f"{first} {last}",
            f"{first} {last}",
            f"{first} {self._random.choice(_UPPER)}. {last}",
        ]
        return str(self._random.choice(forms))

    def person_last(self) -> str:
        return str(self._any().last_name())

    def street_address(self) -> str:
        faker = self._any()
        if self.language == "en":
            number, suffix = self._random.randint(1, 9800), self._random.choice(_SUFFIXES)
            street = f"{number} {faker.last_name()} {suffix}"
            state = self._by_locale["en_US"].state_abbr()
            town = f"{street}, {faker.city()}, {state} {self._of(_DIGITS, 5)}"
            return self._random.choice([street, town, f"{street}, Apt {number % 90}"])
        if self.language == "zh":
            road = f"{faker.last_name()}{self._random.choice('山江安平')}路"
            return f"{faker.city()}{road}{self._random.randint(1, 900)}号"
        street = faker.street_address().replace("\n", ", ")
        return str(self._random.choice([street, f"{street}, {faker.postcode()} {faker.city()}"]))

    def place(self) -> str:
        faker = self._any()
        return str(self._random.choice([faker.city(), faker.country()]))

    def organisation(self) -> str:
        return str(self._any().company())

    # Secrets

    def api_key(self) -> str:
        makers: list[Callable[[], str]] = [
            lambda: f"sk-proj-{self._of(_ALNUM + '_-', 96)}",
            lambda: f"sk-ant-api03-{self._of(_ALNUM + '_-', 90)}AA",
            lambda: f"AKIA{self._of(_UPPER + '234567', 16)}",
            lambda: f"ghp_{self._of(_ALNUM, 36)}",
            lambda: f"github_pat_{self._of(_ALNUM, 22)}_{self._of(_ALNUM, 59)}",
            lambda: f"glpat-{self._of(_ALNUM, 20)}",
            lambda: f"xoxb-{self._of(_DIGITS, 12)}-{self._of(_DIGITS, 12)}-{self._of(_ALNUM, 24)}",
            lambda: f"sk_live_{self._of(_ALNUM, 24)}",
            lambda: f"AIza{self._of(_ALNUM + '_-', 35)}",
            lambda: f"SG.{self._of(_ALNUM, 22)}.{self._of(_ALNUM, 43)}",
            lambda: f"npm_{self._of(_ALNUM, 36)}",
            lambda: f"hf_{self._of(string.ascii_letters, 34)}",
            lambda: f"dop_v1_{self._of(_HEX, 64)}",
            lambda: f"shpat_{self._of(_HEX, 32)}",
            lambda: f"ya29.{self._of(_ALNUM, 60)}",
        ]
        return self._random.choice(makers)()

    def token(self) -> str:
        jwt = f"eyJhbGciOiJIUzI1NiJ9.eyJ{self._of(_ALNUM, 60)}.{self._of(_ALNUM + '_-', 43)}"
        return self._random.choice([jwt, self._of(_HEX, 40), self._of(_ALNUM, 48)])

    def random(self) -> str:
        return self._of(_ALNUM, 32)

    def password(self) -> str:
        word = "".join(
            letter for letter in self._by_locale["en_US"].word().title() if letter.isalpha()
        )
        return self._random.choice(
            [
                str(self._by_locale["en_US"].password(length=12, special_chars=False)),
                f"{word}{self._of(_DIGITS, 4)}",
                f"{word}!{self._of(_DIGITS, 2)}",
                f"{self._of(string.ascii_lowercase, 6)}-{self._of(_ALNUM, 6)}8",
            ]
        )


_DOMAINS: Final = ("co.uk", "dev", "travel", "museum", "io", "com.br", "gov")

_SUFFIXES: Final = (
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Lane",
    "Drive",
    "Dr",
    "Boulevard",
    "Blvd",
    "Court",
    "Way",
    "Place",
    "Terrace",
    "Close",
    "Crescent",
    "Parkway",
    "Hill",
    "Gardens",
)
