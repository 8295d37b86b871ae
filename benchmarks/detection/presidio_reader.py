"""What does Presidio's default analyzer find? Runs in Presidio's own environment.

``python -m benchmarks.detection.presidio_reader SET FOUND`` reads the labelled set and writes what
was found, how long it took and with which model. Where the default's model is not installed, a
spaCy pipeline without one splits the words: then people and places can't be found, and the rest is
as it is by default, but faster.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.detection.sample import page_of, read

MODEL: Final = "en_core_web_lg"


def _nlp_engine() -> tuple[Any, str]:
    import spacy  # noqa: PLC0415
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415

    class Offline(SpacyNlpEngine):  # type: ignore[misc]
        """Presidio's engine, which would fetch its model from the network where it has none."""

        def load(self) -> None:
            if spacy.util.is_package(MODEL):
                self.nlp = {"en": spacy.load(MODEL)}
                return
            words = spacy.blank("en")

            @spacy.Language.component("own_words_as_lemmas")  # type: ignore[untyped-decorator]
            def lemmas(document: Any) -> Any:
                # Presidio looks for context among lemmas; a blank pipeline leaves them empty.
                for token in document:
                    token.lemma_ = token.lower_
                return document

            words.add_pipe("own_words_as_lemmas")
            self.nlp = {"en": words}

    name = MODEL if spacy.util.is_package(MODEL) else "no model (only words)"
    return Offline(), name


def main(set_path: Path, found_path: Path) -> None:
    """Read the set twice, to warm up and to measure, and write what was found."""
    logging.disable(logging.CRITICAL)
    import tldextract  # noqa: PLC0415

    # Its e-mail recogniser asks for a list from the network unless it is told to use the packaged.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415

    engine, model = _nlp_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    samples = read(set_path)
    for sample in samples[:100]:
        analyzer.analyze(sample.text, "en")
    began = time.process_time()
    found = [analyzer.analyze(sample.text, "en") for sample in samples]
    took_s = time.process_time() - began
    size = sum(len(sample.text.encode()) for sample in samples)
    page = page_of(samples)
    began = time.process_time()
    for _ in range(20):
        analyzer.analyze(page, "en")
    page_us = (time.process_time() - began) / 20 * 1e6
    found_path.write_text(
        json.dumps(
            {
                "model": model,
                "us_per_kb": took_s * 1e6 / (size / 1024),
                "us_per_page": page_us,
                "memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                "found": [
                    [[one.entity_type, one.start, one.end, one.score] for one in each]
                    for each in found
                ],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
