"""`make compat`: does the official Python SDK's own test suite pass through Headgate?

The SDK's API-resource tests run twice against the SDK's mock server: straight, then with
`headgate serve` in between. What passes straight must pass through Headgate, but for what
`waived.py` lists with reasons. Run it as `python tests/sdk_suite`; it is no part of `make test`.

Exit status: 0 everything passes, 1 something that must pass doesn't, 2 it could not be tried.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from comparison import TESTS, Outcome, compare, counted
from fetch import WORK, CannotFetch, Kit, fetch
from running import KEY, Known, headgate, mock_server

HERE = Path(__file__).parent
_SUITE_DEADLINE_S = 3600
_RESPONSE_ID = re.compile(r'response_id="([^"]+)"')
_MODEL = re.compile(r'models\.(?:with_\w+\.)?retrieve\(\s*"([a-z0-9_.-]+)"')


def main() -> int:
    """Run both, compare, and tell."""
    options = _options()
    folder = WORK / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        kit = fetch(options.sdk, options.specification)
        print(f"openai {options.sdk}; the mock server answers by {kit.specification.name}", end="")
        print(", derived from the source, which carries none" if kit.derived else "", flush=True)
        with mock_server(kit, folder) as upstream:
            straight = _run(kit, upstream, folder / "straight", options)
            print(f"straight:         {counted(straight)}", flush=True)
            with headgate(upstream, folder, _known(kit.source)) as base_url:
                through = _run(kit, base_url, folder / "through", options)
            print(f"through Headgate: {counted(through)}", flush=True)
    except CannotFetch as error:
        print(f"The suite could not be tried: {error}")
        return 2
    found = compare(straight, through)
    print(found.told())
    return 1 if found.must_pass else 0


def _run(kit: Kit, base_url: str, folder: Path, options: argparse.Namespace) -> dict[str, Outcome]:
    folder.mkdir()
    results = folder / "results.json"
    chosen = [str(path) for path in _chosen(kit.source, options.only)]
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("OPENAI_", "PYTHON"))}
    with (folder / "output.txt").open("wb") as output:
        subprocess.run(
            [
                kit.python, "-m", "pytest", "-q", "-n", str(options.processes), "--durations=0",
                "--tb=line", "--show-capture=no",
                "-p", "sdk_session", "-p", "no:cacheprovider", *chosen,
            ],
            cwd=kit.source, stdout=output, stderr=subprocess.STDOUT,
            timeout=_SUITE_DEADLINE_S, check=False,
            env={
                **clean,
                "PYTHONPATH": str(HERE),
                "PYTHONDONTWRITEBYTECODE": "1",
                "TEST_API_BASE_URL": base_url,
                "SDK_SUITE_KEY": KEY,
                "SDK_SUITE_RESULTS": str(results),
            },
        )  # fmt: skip
    try:
        found = json.loads(results.read_text("utf-8"))
    except (OSError, ValueError):
        raise CannotFetch(f"pytest wrote no results; see {folder / 'output.txt'}") from None
    if not found:
        raise CannotFetch(f"no test was run; see {folder / 'output.txt'}")
    return {test: Outcome(**outcome) for test, outcome in found.items()}


def _chosen(source: Path, only: str) -> list[Path]:
    """The files and folders of the resources that `only` names; all where it is empty."""
    if not only:
        return [Path(TESTS)]
    chosen: list[Path] = []
    for name in only.split(","):
        found = [Path(TESTS, f"test_{name}.py"), Path(TESTS, name)]
        there = [path for path in found if (source / path).exists()]
        if not there:
            raise CannotFetch(f"the SDK has no tests of `{name}`")
        chosen += there
    return chosen


def _known(source: Path) -> Known:
    """The responses and the models that the tests ask for by name."""
    texts = [path.read_text("utf-8") for path in (source / TESTS).rglob("*.py")]
    return Known(
        responses={found for text in texts for found in _RESPONSE_ID.findall(text)},
        models={found for text in texts for found in _MODEL.findall(text)},
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/sdk_suite", description=__doc__)
    parser.add_argument(
        "--only", default="", help="resources, with commas between: chat,responses,embeddings"
    )
    parser.add_argument("--sdk", default=version("openai"), help="the SDK's version (%(default)s)")
    parser.add_argument(
        "--specification", type=Path, help="an OpenAPI file for the mock server to answer by"
    )
    parser.add_argument("--processes", type=int, default=2, help="of pytest (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
