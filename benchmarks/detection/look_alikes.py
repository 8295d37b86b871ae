"""What looks like personal data and is none? Order numbers, versions, times, hashes, prices."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable
from typing import Final

_HEX: Final = "0123456789abcdef"

_MONTHS: Final = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro "
    "dezembro",
}


def date_in(language: str, day: dt.date, source: random.Random) -> str:
    """`day` as people write it in `language`."""
    if language == "zh":
        chinese = f"{day.year}年{day.month}月{day.day}日"
        return source.choice(
            [chinese, chinese, day.isoformat(), f"{day.year}/{day.month}/{day.day}"]
        )
    month = _MONTHS[language].split()[day.month - 1]
    written = {
        "en": [
            f"{month} {day.day}, {day.year}",
            f"{day.day} {month} {day.year}",
            f"{day.day} {month[:3]} {day.year}",
        ],
        "de": [f"{day.day}. {month} {day.year}"],
        "es": [f"{day.day} de {month} de {day.year}"],
        "pt": [f"{day.day} de {month} de {day.year}"],
    }.get(language, [f"{day.day} {month} {day.year}"])
    digits = {"en": "{m:02d}/{d:02d}/{y}", "de": "{d:02d}.{m:02d}.{y}", "nl": "{d:02d}-{m:02d}-{y}"}
    short = digits.get(language, "{d:02d}/{m:02d}/{y}").format(d=day.day, m=day.month, y=day.year)
    return source.choice([*written, short, short, day.isoformat()])


def _digits(source: random.Random, length: int) -> str:
    return str(source.randint(10 ** (length - 1), 10**length - 1))


def _hex(source: random.Random, length: int) -> str:
    return "".join(source.choices(_HEX, k=length))


def _day(source: random.Random) -> dt.date:
    return dt.date(2024, 1, 1) + dt.timedelta(days=source.randrange(900))


def _isbn(source: random.Random) -> str:
    body = f"978{_digits(source, 9)}"
    total = sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(body))
    whole = f"{body}{-total % 10}"
    return source.choice([whole, f"{whole[:3]}-{whole[3]}-{whole[4:7]}-{whole[7:12]}-{whole[12]}"])


def _timestamp(source: random.Random) -> str:
    day = _day(source)
    hour, minute, second = source.randrange(24), source.randrange(60), source.randrange(60)
    return source.choice(
        [
            f"{day}T{hour:02d}:{minute:02d}:{second:02d}Z",
            f"{day} {hour:02d}:{minute:02d}:{second:02d}.{_digits(source, 3)}",
            _digits(source, 4).replace(_digits(source, 1), "1") + _digits(source, 6),
            f"{day}T{hour:02d}:{minute:02d}:{second:02d}+02:00",
        ]
    )


def _time(source: random.Random) -> str:
    return f"{source.randrange(24):02d}:{source.randrange(60):02d}"


def _price(source: random.Random) -> str:
    amount = source.randint(1, 99_999)
    return source.choice(
        [
            f"${amount:,}.{source.randrange(100):02d}",
            f"{amount} EUR",
            f"€{amount}.99",
            f"{amount},00 €",
        ]
    )


def _coordinates(source: random.Random) -> str:
    return f"{source.uniform(-89, 89):.6f}, {source.uniform(-179, 179):.6f}"


ALL: Final[dict[str, Callable[[random.Random], str]]] = {
    "order": lambda one: one.choice(
        [
            _digits(one, 8),
            _digits(one, 10),
            _digits(one, 12),
            f"{_digits(one, 3)}-{_digits(one, 7)}-{_digits(one, 7)}",
            f"ORD-{_digits(one, 6)}",
            f"{_digits(one, 4)}-{_digits(one, 4)}",
            f"A{_digits(one, 9)}",
            f"#{_digits(one, 7)}",
        ]
    ),
    "ticket": lambda one: one.choice(
        [f"#{_digits(one, 6)}", f"INC{_digits(one, 7)}", f"TICK-{_digits(one, 5)}"]
    ),
    "tracking": lambda one: one.choice(
        [
            f"1Z{_hex(one, 6).upper()}{_digits(one, 10)}",
            _digits(one, 20),
            f"JD{_digits(one, 18)}",
            f"RR{_digits(one, 9)}DE",
        ]
    ),
    "invoice": lambda one: one.choice(
        [
            f"2025-{_digits(one, 5)}",
            f"RE{_digits(one, 8)}",
            f"INV/{_digits(one, 4)}/{_digits(one, 3)}",
            _digits(one, 9),
        ]
    ),
    "version": lambda one: f"{one.randrange(20)}.{one.randrange(30)}.{one.randrange(400)}",
    "version4": lambda one: (
        f"{one.randrange(20)}.{one.randrange(30)}.{one.randrange(400)}.{one.randrange(9000)}"
    ),
    "uuid": lambda one: str(uuid.UUID(int=one.getrandbits(128), version=4)),
    "sha": lambda one: one.choice([_hex(one, 40), _hex(one, 7), _hex(one, 12)]),
    "md5": lambda one: _hex(one, 32),
    "fingerprint": lambda one: ":".join(_hex(one, 2) for _ in range(20)),
    "timestamp": _timestamp,
    "epoch_ms": lambda one: f"17{_digits(one, 11)}",
    "date": lambda one: one.choice(
        [f"{_day(one)}", f"{_day(one):%d.%m.%Y}", f"{_day(one):%d/%m/%Y}"]
    ),
    "time": _time,
    "year": lambda one: str(one.randint(1990, 2026)),
    "price": _price,
    "percent": lambda one: f"{one.randint(1, 60)}%",
    "isbn": _isbn,
    "ean": lambda one: f"40{_digits(one, 11)}",
    "coordinates": _coordinates,
    "count": lambda one: one.choice(
        [f"{one.randint(1000, 9_999_999):,}", str(one.randint(10, 9_999_999))]
    ),
    "room": lambda one: f"{one.randint(1, 9)}.{one.randint(10, 99)}",
    "part": lambda one: one.choice(
        [
            f"{_digits(one, 3)}-{_digits(one, 5)}-{_digits(one, 2)}",
            f"PN{_digits(one, 8)}",
            f"{_digits(one, 4)}.{_digits(one, 3)}.{_digits(one, 3)}",
        ]
    ),
    "sku": lambda one: f"SKU{_digits(one, 6)}",
}
"""By name of a placeholder: what is put there, without a label."""
