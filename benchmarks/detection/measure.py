"""How does `--detection` run? Makes the set, lets both engines read it, prints the tables."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.detection.report import Reading, markdown
from benchmarks.detection.sample import Found, Sample, page_of, read
from benchmarks.detection.scores import best_only
from benchmarks.processes import BenchmarkError
from benchmarks.systems.environment import install, is_installed
from headgate.checks.detection import Detector
from headgate.config.detection import STRUCTURED

PRESIDIO: Final = "2.2.366"
FAKER: Final = "40.54.0"
_ROOT: Final = Path(__file__).parent.parent.parent
_INSTALL_DEADLINE_S: Final = 900.0
_READ_DEADLINE_S: Final = 1800.0

ENTITIES: Final = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "US_SSN": "national_id",
    "US_ITIN": "tax_id",
    "US_PASSPORT": "passport",
    "UK_NHS": "health_id",
    "MEDICAL_LICENSE": "health_id",
    "IP_ADDRESS": "ip_address",
    "MAC_ADDRESS": "mac_address",
    "DATE_TIME": "date_of_birth",
    "PERSON": "person",
    "LOCATION": "place",
    "ORGANIZATION": "organisation",
}
"""Presidio's names for our kinds; what it finds besides (URLs, licences) is not judged."""


def measure(work: Path) -> str:
    """The report. Raises BenchmarkError where the set can't be made."""
    set_path = _labelled_set(work)
    samples = read(set_path)
    readings = [_headgate(samples)]
    note = ""
    try:
        readings += _presidio(work, set_path)
    except BenchmarkError as error:
        note = f"Presidio is left out: {error}"
    report = markdown(samples, readings)
    (work / "detection.md").write_text(report)
    return f"{report}\n{note}" if note else report


def _labelled_set(work: Path) -> Path:
    environment = work / f"faker-{FAKER}"
    if not is_installed(environment):
        print(f"Installing Faker {FAKER} into {environment} …", flush=True)
        wrong = install("Faker", environment, f"faker=={FAKER}", deadline_s=_INSTALL_DEADLINE_S)
        if wrong:
            raise BenchmarkError(wrong)
    path = work / "labelled-set.jsonl"
    _run(environment, "benchmarks.detection.labelled_set", str(path))
    return path


def _headgate(samples: Sequence[Sample]) -> Reading:
    detector = Detector()
    for sample in samples:
        detector.find(sample.text)
    began = time.process_time()
    found = [detector.find(sample.text) for sample in samples]
    took_s = time.process_time() - began
    size = sum(len(sample.text.encode()) for sample in samples)
    structured = Detector(STRUCTURED)
    page = page_of(samples)
    return Reading(
        name="Headgate",
        found=[[Found(f.kind, f.start, f.end, f.score / 100) for f in each] for each in found],
        us_per_kb=took_s * 1e6 / (size / 1024),
        us_per_page=_page_us(detector, page),
        structured_us_per_page=_page_us(structured, page),
        structured_us_per_prose=_page_us(structured, PROSE),
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _page_us(detector: Detector, page: str) -> float:
    best = float("inf")
    for _ in range(20):
        began = time.process_time()
        for _ in range(10):
            detector.find(page)
        best = min(best, time.process_time() - began)
    return best / 10 * 1e6


def _presidio(work: Path, set_path: Path) -> list[Reading]:
    environment = work / f"presidio-{PRESIDIO}"
    if not is_installed(environment):
        print(f"Installing Presidio {PRESIDIO} into {environment} (about 500 MB) …", flush=True)
        package = f"presidio-analyzer=={PRESIDIO}"
        if wrong := install("Presidio", environment, package, deadline_s=_INSTALL_DEADLINE_S):
            raise BenchmarkError(wrong)
    path = work / "presidio-found.json"
    _run(environment, "benchmarks.detection.presidio_reader", str(set_path), str(path))
    told = json.loads(path.read_text())
    readings = []
    for name, least in (("Presidio", 0.0), ("Presidio ≥ 0.5", 0.5)):
        found = [
            best_only(
                Found(ENTITIES[entity], start, end, score)
                for entity, start, end, score in each
                if entity in ENTITIES and score >= least
            )
            for each in told["found"]
        ]
        readings.append(
            Reading(
                name=name,
                title=f"{name}: analyzer {PRESIDIO}, {told['model']}",
                found=found,
                us_per_kb=told["us_per_kb"],
                us_per_page=told["us_per_page"],
                memory_mb=told["memory_kb"] / 1024,
            )
        )
    return readings


def _run(environment: Path, module: str, *arguments: str) -> None:
    command = [str(environment / "bin" / "python"), "-m", module, *arguments]
    try:
        subprocess.run(
            command, check=True, cwd=_ROOT, timeout=_READ_DEADLINE_S, capture_output=True
        )
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", None) or b""
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise BenchmarkError(f"{module} failed: {last or error}") from None


PROSE: Final = (
    "Hello, my name is Jane Roe and I was charged twice on 2023-05-17 for order 12345678. Please "
    "call me at (212) 736-5000 or write to jane.roe@example.com. The card ends in 4242 and the "
    "version is 1.2.3. Thanks a lot for looking into it; I've been a customer for years and would "
    "like this solved soon. We had opened a ticket last week about the same thing, and nobody has "
    "answered since. The dashboard shows both payments as settled, which can't be right because "
    "the bank says that only one of them was authorised. Could somebody from the billing team look "
    "into this before the end of the month, please? It is getting a little urgent for us since the "
    "books are closed on Friday. I attach the statement and the two receipts, so that you can see "
    "the amounts, 49.00 and 49.00 euros, and the times at which they were booked, 10:32 and 10:33. "
    "If anything is missing tell me which and I will send it. Once more thanks, and have a nice "
    "day, and greetings to the whole team from all of us here in the shop. Bye for now, and see "
    "you."
)[:1024]
"""A customer's message of 1 KB, as they come."""
