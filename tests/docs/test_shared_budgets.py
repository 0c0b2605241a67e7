import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stores.servers import running

PAGE = Path(__file__).parents[2] / "docs" / "how" / "shared-budgets.md"


@pytest.mark.slow
def test_the_example_prints_what_the_page_says() -> None:
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with running() as server:
        environment = os.environ | {"VALKEY_URL": server.url}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    assert (done.stdout, done.stderr) == (printed, "")
