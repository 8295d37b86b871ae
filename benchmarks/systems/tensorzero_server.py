"""Run by `tensorzero.py` with TensorZero's own Python: its embedded gateway over HTTP.

Arguments: the configuration file, and the file to write its address into once it listens.
"""

import signal
import sys
import warnings
from pathlib import Path

from openai import OpenAI

with warnings.catch_warnings():
    # It will be removed some day, for a server that comes as a container only.
    warnings.simplefilter("ignore", DeprecationWarning)
    from tensorzero import patch_openai_client

    client = patch_openai_client(
        OpenAI(api_key="none"), config_file=sys.argv[1], clickhouse_url=None, async_setup=False
    )
Path(sys.argv[2]).write_text(str(client.base_url))
signal.pause()
