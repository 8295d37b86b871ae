"""What values stand in the labelled set? Made here, by Faker and by the formulas of those who issue.

Runs in an environment with Faker and without Headgate, so that no pattern or list is shared.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import Any, Final

from faker import Faker

from benchmarks.detection import look_alikes

_LOCALES: Final = {
    "en": ("en_US", "en_GB"), "de": ("de_DE",), "fr": ("fr_FR",), "es": ("es_ES",),
    "it": ("it_IT",), "nl": ("nl_NL",), "pt": ("pt_PT", "pt_BR"), "zh": ("zh_CN",),
}  # fmt: skip

_UPPER: Final = string.ascii_uppercase
_DIGITS: Final = string.digits
_ALNUM: Final = string.ascii_letters + string.digits
_HEX: Final = "0123456789abcdef"


class Values:
    """Makes values of every kind in one language; the same from the same random source."""

    def __init__(self, language: str, source: random.Random) -> None:
        self.language = language
        self._random = source
        self._fakers = [Faker(locale) for locale in _LOCALES[language]]
        self._by_locale = {locale: Faker(locale) for locale in ("en_US", "de_DE", "fr_FR", "es_ES",
            "it_IT", "nl_NL", "pt_PT", "pt_BR", "zh_CN")}  # fmt: skip
        for number, faker in enumerate([*self._fakers, *self._by_locale.values()]):
            faker.seed_instance(source.randrange(2**32) + number)

    def value(self, kind: str, form: str) -> tuple[str, str]:
        """A value of `kind`, and which form of the kind it is."""
        if kind in look_alikes.ALL:
            return look_alikes.ALL[kind](self._random), kind
        name = form or kind
        if made := getattr(self, name, None):
            value = made()
        elif made := getattr(self, f"{kind}_{form}", None):
            value = made()
        else:
            raise KeyError(f"{kind}:{form}")
        return str(value), name

    # Helpers

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

    # Contact

    def email(self) -> str:
        faker = self._any()
        name = faker.last_name().lower()
        plain = "".join(letter for letter in name if letter.isascii() and letter.isalpha()) or "kontakt"
        forms = [
            faker.ascii_email(), faker.ascii_free_email(), faker.ascii_company_email(),
            f"{plain}+{self._of(_DIGITS, 3)}@{faker.domain_name()}", f"{plain}_{self._of(_DIGITS, 2)}@mail.{faker.domain_name()}",
            f"{plain[:1]}.{plain}@{faker.domain_word()}.{self._random.choice(['co.uk', 'dev', 'travel', 'museum', 'io', 'com.br', 'gov'])}",
            faker.ascii_email().upper(),
        ]  # fmt: skip
        return str(self._random.choice(forms))

    def phone(self) -> str:
        return self._filled(self._random.choice(_PHONES[self._random.choice(_LOCALES[self.language])]))

    # Money

    def payment_card(self) -> str:
        kind = self._random.choice(
            ["visa16", "mastercard", "amex", "discover", "diners", "jcb16", "visa16", "mastercard"]
        )
        number = self._by_locale["en_US"].credit_card_number(card_type=kind)
        cuts = {15: (4, 10), 14: (4, 10)}.get(len(number), (4, 8, 12))
        parts = [number[a:b] for a, b in zip((0, *cuts), (*cuts, len(number)), strict=True)]
        joined = self._random.choice(["", " ", " ", "-", "\u00a0", "."])
        return joined.join(parts)

    def iban(self) -> str:
        number = self._by_locale[self._random.choice(["de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_PT"])].iban()
        groups = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
        return self._random.choice([number, groups, groups, groups.replace(" ", "\u00a0"), number.lower()])

    # Numbers of states

    def us_ssn(self) -> str:
        area = self._random.choice([*range(1, 666), *range(667, 900)])
        parts = (f"{area:03d}", f"{self._random.randint(1, 99):02d}", f"{self._random.randint(1, 9999):04d}")
        return self._random.choice(["-", "-", "-", " "]).join(parts)

    def gb_nino(self) -> str:
        prefix = self._random.choice(["AB", "CE", "HJ", "JK", "LM", "PR", "SC", "WX", "YZ", "NA"])
        number = self._of(_DIGITS, 6)
        suffix = self._random.choice("ABCD")
        spaced = f"{prefix} {number[:2]} {number[2:4]} {number[4:]} {suffix}"
        return self._random.choice([prefix + number + suffix, spaced])

    def de_rvnr(self) -> str:
        number = self._by_locale["de_DE"].rvnr()
        spaced = f"{number[:2]} {number[2:8]} {number[8]} {number[9:]}"
        return self._random.choice([number, spaced])

    def fr_nir(self) -> str:
        # INSEE: the rest of the division by 97, taken from 97.
        body = f"{self._random.choice('12')}{self._random.randint(0, 99):02d}{self._random.randint(1, 12):02d}"
        body += f"{self._random.randint(1, 95):02d}{self._random.randint(1, 990):03d}{self._random.randint(1, 999):03d}"
        body = body[:5] + ("01" if body[5:7] == "20" else body[5:7]) + body[7:]
        key = 97 - int(body) % 97
        whole = f"{body}{key:02d}"
        spaced = " ".join((whole[0], whole[1:3], whole[3:5], whole[5:7], whole[7:10], whole[10:13], whole[13:]))
        return self._random.choice([whole, spaced])

    def es_dni(self) -> str:
        number = self._random.randint(10_000_000, 99_999_999)
        letter = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
        dotted = f"{number:,}".replace(",", ".")
        return self._random.choice([f"{number}{letter}", f"{number}-{letter}", f"{dotted}-{letter}"])

    def es_nie(self) -> str:
        first, rest = self._random.randint(0, 2), self._of(_DIGITS, 7)
        letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(f"{first}{rest}") % 23]
        return self._random.choice([f"{'XYZ'[first]}{rest}{letter}", f"{'XYZ'[first]}-{rest}-{letter}"])

    def it_cf(self) -> str:
        return str(self._by_locale["it_IT"].ssn())

    def nl_bsn(self) -> str:
        return str(self._by_locale["nl_NL"].ssn())

    def br_cpf(self) -> str:
        number = self._by_locale["pt_BR"].cpf()
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
                check = sum(int(digit) * weight for digit, weight in zip(body, range(9, 1, -1), strict=True)) % 11
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
        total = sum(int(digit) * weight for digit, weight in zip(body, range(9, 1, -1), strict=True))
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
        return self._random.choice("CFGHJK") + self._of("CFGHJKLMNPRTVWXYZ0123456789", 6) + self._of(_DIGITS, 2)

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
            check = 11 - sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True)) % 11
            if check != 10:
                whole = f"{body}{check % 11}"
                return self._random.choice([whole, f"{whole[:3]} {whole[3:6]} {whole[6:]}", f"{whole[:3]}-{whole[3:6]}-{whole[6:]}"])

    def mbi(self) -> str:
        letters = "ACDEFGHJKMNPQRTUVWXY"
        either = letters + _DIGITS
        parts = (
            self._random.choice("123456789") + self._of(letters, 1) + self._of(either, 1) + self._of(_DIGITS, 1),
            self._of(letters, 1) + self._of(either, 1) + self._of(_DIGITS, 1),
            self._of(letters, 2) + self._of(_DIGITS, 2),
        )
        return self._random.choice(["", "-"]).join(parts)

    def mrn(self) -> str:
        return self._filled(self._random.choice(["!??????", "MR-!?????", "!???????", "H!??-????", "P!??????", "2024-!?????"]))

    def kvnr(self) -> str:
        return str(self._by_locale["de_DE"].kvnr())

    # Networks

    def ip_address(self) -> str:
        faker = self._by_locale["en_US"]
        return str(self._random.choice([faker.ipv4_public(), faker.ipv4_private(), faker.ipv6(), faker.ipv4()]))

    def mac_address(self) -> str:
        address = self._by_locale["en_US"].mac_address()
        dotted = address.replace(":", "")
        return str(self._random.choice([
            address, address.upper(), address.replace(":", "-"), ".".join((dotted[:4], dotted[4:8], dotted[8:])),
        ]))  # fmt: skip

    # People

    def date_of_birth(self) -> str:
        day = self._by_locale["en_US"].date_of_birth(minimum_age=1, maximum_age=95)
        return look_alikes.date_in(self.language, day, self._random)

    def person(self) -> str:
        faker = self._any()
        if self.language == "zh":
            return str(faker.name())
        first, last = faker.first_name(), faker.last_name()
        forms = [f"{first} {last}", f"{first} {last}", f"{first} {last}", f"{first} {self._random.choice(_UPPER)}. {last}"]
        return str(self._random.choice(forms))

    def person_last(self) -> str:
        return str(self._any().last_name())

    def street_address(self) -> str:
        faker = self._any()
        if self.language == "en":
            street = f"{self._random.randint(1, 9800)} {faker.last_name()} {self._random.choice(_SUFFIXES)}"
            town = f"{street}, {faker.city()}, {self._by_locale['en_US'].state_abbr()} {self._of(_DIGITS, 5)}"
            return self._random.choice([street, town, f"{street}, Apt {self._random.randint(1, 90)}"])
        if self.language == "zh":
            return f"{faker.city()}{faker.last_name()}{self._random.choice(['山', '江', '安', '平'])}路{self._random.randint(1, 900)}号"
        street = faker.street_address().replace("\n", ", ")
        return self._random.choice([street, f"{street}, {faker.postcode()} {faker.city()}"])

    def place(self) -> str:
        faker = self._any()
        return str(self._random.choice([faker.city(), faker.country()]))

    def organisation(self) -> str:
        return str(self._any().company())

    # Secrets

    def api_key(self) -> str:
        made = self._random.choice([
            lambda: f"sk-proj-{self._of(_ALNUM + '_-', 96)}", lambda: f"sk-ant-api03-{self._of(_ALNUM + '_-', 90)}AA",
            lambda: f"AKIA{self._of(_UPPER + '234567', 16)}", lambda: f"ghp_{self._of(_ALNUM, 36)}",
            lambda: f"github_pat_{self._of(_ALNUM, 22)}_{self._of(_ALNUM, 59)}", lambda: f"glpat-{self._of(_ALNUM, 20)}",
            lambda: f"xoxb-{self._of(_DIGITS, 12)}-{self._of(_DIGITS, 12)}-{self._of(_ALNUM, 24)}",
            lambda: f"sk_live_{self._of(_ALNUM, 24)}", lambda: f"AIza{self._of(_ALNUM + '_-', 35)}",
            lambda: f"SG.{self._of(_ALNUM, 22)}.{self._of(_ALNUM, 43)}", lambda: f"npm_{self._of(_ALNUM, 36)}",
            lambda: f"hf_{self._of(string.ascii_letters, 34)}", lambda: f"dop_v1_{self._of(_HEX, 64)}",
            lambda: f"shpat_{self._of(_HEX, 32)}", lambda: f"ya29.{self._of(_ALNUM, 60)}",
        ])  # fmt: skip
        return made()

    def token(self) -> str:
        jwt = f"eyJhbGciOiJIUzI1NiJ9.eyJ{self._of(_ALNUM, 60)}.{self._of(_ALNUM + '_-', 43)}"
        return self._random.choice([jwt, self._of(_HEX, 40), self._of(_ALNUM, 48)])

    def random(self) -> str:
        return self._of(_ALNUM, 32)

    def password(self) -> str:
        word = "".join(letter for letter in self._by_locale["en_US"].word().title() if letter.isalpha())
        return self._random.choice([
            str(self._by_locale["en_US"].password(length=12, special_chars=False)), f"{word}{self._of(_DIGITS, 4)}",
            f"{word}!{self._of(_DIGITS, 2)}", f"{self._of(string.ascii_lowercase, 6)}-{self._of(_ALNUM, 6)}8",
        ])  # fmt: skip


_SUFFIXES: Final = (
    "Street", "St", "Avenue", "Ave", "Road", "Rd", "Lane", "Drive", "Dr", "Boulevard", "Blvd",
    "Court", "Way", "Place", "Terrace", "Close", "Crescent", "Parkway", "Hill", "Gardens",
)  # fmt: skip

_PHONES: Final = {
    "en_US": ("(212) 736-????", "415-736-????", "+1 312 736 ????", "1-800-736-????", "303.736.????", "+1415736????", "206 736 ????", "(617) 736-???? ext. ??"),
    "en_GB": ("020 7946 0???", "+44 20 7946 0???", "07700 900???", "+44 7911 123???", "0161 496 0???", "+44 (0)20 7946 0???", "07911123???"),
    "de_DE": ("030 !??????", "+49 30 !??????", "0151 23??????", "+49 (0)171 !??????", "089/!??????", "0049 40 !??????", "0176-23??????", "+4915123??????", "(0221) !?????"),
    "fr_FR": ("06 12 ?? ?? ??", "+33 6 12 ?? ?? ??", "01.42.??.??.??", "0612??????", "+33 (0)1 42 ?? ?? ??", "04-72-??-??-??"),
    "es_ES": ("612 ??? ???", "+34 612 ?? ?? ??", "91 123 ?? ??", "+34612??????", "912 ?? ?? ??", "655-??-??-??"),
    "it_IT": ("347 !??????", "+39 347 !?? ????", "06 6??? ????", "02 !??? ????", "+39 02 !??? ????", "347!??????"),
    "nl_NL": ("06 12??????", "+31 6 12??????", "020 7?? ????", "06-12??????", "+31 20 7?? ????", "0612??????"),
    "pt_PT": ("912 ??? ???", "+351 912 ??? ???", "21 3?? ?? ??", "+351 21 3?? ????", "912??????"),
    "pt_BR": ("(11) 98???-????", "+55 11 98???-????", "21 98???-????", "(31) 32??-????", "+551198???????"),
    "zh_CN": ("138 ???? ????", "138????????", "+86 139 ???? ????", "010-68?? ????", "186-????-????", "021-58??????"),
}  # fmt: skip
"""Numbers that may be given out: ? stands for any digit, ! for any but 0."""
