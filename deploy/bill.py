# ruff: noqa: INP001 -- a program, no package
"""What is Riparian made of, under which licences?  ``python deploy/bill.py`` prints CycloneDX 1.6, from the lock.

Everything is read from files of this repository, and the same lock gives the same octets: ``requirements.lock`` says
what, in which version and by which digests, ``deploy/licences.csv`` under which licence.  What depends on what is added
where the packages are installed (``--offline`` leaves it out).  ``--check`` says what is in the one and not in the
other, and which licence nobody has allowed; exit code 1 when there is any.
"""

import csv
import hashlib
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
ALLOWED: Final = frozenset(
    {
        "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT",
        "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib",
        # Of these nothing is changed, and nothing is copied into ours: the file, or the library, can be replaced.
        "MPL-2.0", "LGPL-2.1-or-later",
    }
)  # fmt: skip
"""What may be in it: what lets Apache-2.0 stay Apache-2.0."""
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\]+?))? *\\?$", re.MULTILINE)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock.

    Parameters
    ----------
    name, version
        As the lock has them.
    marker
        Where it is installed; empty for everywhere.
    digests
        SHA-256 of each of its files.
    """

    name: str
    version: str
    marker: str
    digests: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its name among all packages there are."""
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(text: str) -> list[Pin]:
    """Read a lock.

    Examples
    --------
    >>> [(pin.purl, len(pin.digests)) for pin in pins(f"six==1.17.0 {chr(92)}{chr(10)}    --hash=sha256:{'0' * 64}")]
    [('pkg:pypi/six@1.17.0', 1)]
    """
    found = list(_PIN.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)][: len(found)]
    return [
        Pin(match[1].lower(), match[2], (match[3] or "").strip(), tuple(_HASH.findall(text[match.end() : end])))
        for match, end in zip(found, ends, strict=True)
    ]


def licences(path: Path) -> dict[str, tuple[str, str]]:
    """Read which licence each package has, and what is to be said of it."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["package"]: (row["licence"], row["note"]) for row in csv.DictReader(file)}


def is_allowed(expression: str) -> bool:
    """Say whether a licence may be in it: one side of each OR, every side of each AND.

    Examples
    --------
    >>> is_allowed("MIT OR GPL-3.0-only"), is_allowed("MIT AND GPL-3.0-only"), is_allowed("")
    (True, False, False)
    """
    return any(
        all(part.strip() in ALLOWED for part in side.split(" AND ")) for side in expression.strip("()").split(" OR ")
    )


def faults(locked: Sequence[Pin], known: Mapping[str, tuple[str, str]]) -> list[str]:
    """Say what is wrong with the table of licences."""
    names = {pin.name for pin in locked}
    return [
        *(f"{name} has no row in licences.csv" for name in sorted(names - known.keys())),
        *(f"{name} is not in the lock any more" for name in sorted(known.keys() - names)),
        *(
            f"{name}: nobody has allowed `{licence}`"
            for name, (licence, _) in sorted(known.items())
            if not is_allowed(licence)
        ),
        *(f"{pin.name} has no digest" for pin in locked if not pin.digests),
    ]


def bill(version: str, lock: str, known: Mapping[str, tuple[str, str]], *, offline: bool) -> dict[str, Any]:
    """Make the bill."""
    locked = pins(lock)
    digest = hashlib.sha256(lock.encode()).hexdigest()
    ours = f"pkg:pypi/riparian@{version}"
    tool = {"type": "application", "name": "deploy/bill.py", "version": version}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{ours}#{digest}')}",
        "version": 1,
        "metadata": {
            "tools": {"components": [tool]},
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": "riparian",
                "version": version,
                "purl": ours,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
            "properties": [{"name": "riparian:lock:sha256", "value": digest}],
        },
        "components": [_component(pin, *known.get(pin.name, ("", ""))) for pin in locked],
        "dependencies": [] if offline else _dependencies(ours, locked),
    }


def _component(pin: Pin, licence: str, note: str) -> dict[str, Any]:
    said = [("marker", pin.marker), ("note", note)]
    made = {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "purl": pin.purl,
        "scope": "required",
        "licenses": [{"expression": licence}] if licence else [],
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{pin.name}/{pin.version}/",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in pin.digests],
            }
        ],
        "properties": [{"name": f"riparian:{name}", "value": value} for name, value in said if value],
    }
    return {key: value for key, value in made.items() if value}


def _dependencies(ours: str, locked: Sequence[Pin]) -> list[dict[str, Any]]:
    by_name: dict[str, list[str]] = {}
    for pin in locked:
        by_name.setdefault(pin.name, []).append(pin.purl)
    found = [{"ref": ours, "dependsOn": _needed("riparian", by_name)}]
    return found + [{"ref": pin.purl, "dependsOn": _needed(pin.name, by_name)} for pin in locked]


def _needed(name: str, by_name: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        said = requires(name) or []
    except PackageNotFoundError:
        return []
    names = {
        match[0].lower().replace("_", "-") for one in said if "extra ==" not in one and (match := _NAME.match(one))
    }
    return sorted(purl for each in names for purl in by_name.get(each, ()))


def main(words: Sequence[str]) -> int:
    """Write the bill, or check the table of licences; the exit code."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    known = licences(ROOT / "deploy" / "licences.csv")
    if "--check" in words:
        found = faults(pins(lock), known)
        sys.stderr.write("".join(f"{fault}\n" for fault in found) or f"{len(known)} packages, all allowed\n")
        return 1 if found else 0
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    made = bill(version, lock, known, offline="--offline" in words)
    sys.stdout.write(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
