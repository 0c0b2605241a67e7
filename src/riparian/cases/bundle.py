"""How is a case handed to a court, to counsel or to a partner, who have nothing of ours but one file?

The file has the events of the case, who may sign, the evidence, and a manifest with the SHA-256 of every part.  That a
bundle was made is itself an event of the case, which has the digest of the manifest and the signature of the workspace;
a path of hashes proves it to be in the log, under a signed head.  So nothing in the file can be changed, added or left
out; whoever has it needs no network, and no trust in the disk that it came from.

::

    manifest.json          name, SHA-256 and size of every part; what is hidden or withheld
    log/case.jsonl         the events, each on its line        log/people.jsonl   who may sign
    custody/SHA-256        evidence, tokens, certificates      README.txt         what this is
    export.json            the event that made the bundle      head.json          its place in the log

Source
------
RFC 6962, section 2.1.1 (proof that an event is in the log).
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final, Protocol

from riparian.cases.custody import Examined, Matter, examined
from riparian.cases.events import PEOPLE, Event, Person, chained, people_of, read_event
from riparian.cases.merkle import Head, inclusion, is_included, leaf
from riparian.cases.plain import canonical, moment, when
from riparian.cases.redaction import followed
from riparian.errors import CustodyError, InputError, RiparianError

MANIFEST: Final = "manifest.json"
EXPORT: Final = "export.json"
HEAD: Final = "head.json"
LOG: Final = "log/case.jsonl"
PEOPLE_LOG: Final = "log/people.jsonl"
README: Final = "README.txt"
CUSTODY: Final = "custody/"
VERSION: Final = 1
_KIND: Final = "riparian case bundle"
_SMALL_MAX: Final = 1 << 28

ABOUT: Final = b"""This is a case of Riparian, with its evidence. To check all of it, without a network:

    riparian case verify THIS_FILE.zip

manifest.json has the SHA-256 of every part; export.json, signed, has that of manifest.json; head.json proves
export.json to be in the log of the workspace. log/case.jsonl is what happened, one event a line: each has the SHA-256
of the one before it, and a signature (Ed25519). custody/ has the evidence, each file under its SHA-256.

Without Riparian: sha256sum each file of custody/ against its name. For a token of a time (RFC 3161), take the line of
the event that it is over, without its end of line, and the certificates of the authority:

    openssl ts -verify -data LINE -in TOKEN -CAfile CERTIFICATES
"""


class Parts(Protocol):
    """A file that has parts, by name."""

    def names(self) -> Sequence[str]:
        """Give the names of all parts."""
        ...

    def measured(self, name: str) -> tuple[str, int] | None:
        """Compute the SHA-256 and the size of a part; None when there is no such part."""
        ...

    def opened(self, name: str) -> BinaryIO:
        """Open a part.

        Raises
        ------
        CustodyError
            When there is no such part.
        """
        ...


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle consists of.

    Parameters
    ----------
    files
        SHA-256 and size of every part, by name; but of the manifest, and of what proves it.
    fields
        Which fields of events are hidden.
    withheld
        Digests of evidence that was left out.
    """

    case: str
    files: Mapping[str, tuple[str, int]]
    fields: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    def octets(self) -> bytes:
        """Write it."""
        return canonical(
            {
                "case": self.case,
                "fields": list(self.fields),
                "files": {name: {"octets": size, "sha256": digest} for name, (digest, size) in self.files.items()},
                "kind": _KIND,
                "version": VERSION,
                "withheld": list(self.withheld),
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 of it, in hexadecimal."""
        return hashlib.sha256(self.octets()).hexdigest()


def read_manifest(octets: bytes) -> Manifest:
    """Read a manifest.

    Raises
    ------
    CustodyError
        When it is none.

    Examples
    --------
    >>> manifest = Manifest("C1", {"README.txt": ("0" * 64, 12)}, ("noted.text",))
    >>> read_manifest(manifest.octets()) == manifest
    True
    """
    try:
        said = json.loads(octets)
        files = {str(name): (str(one["sha256"]), int(one["octets"])) for name, one in said["files"].items()}
        fields, withheld = (tuple(map(str, said[name])) for name in ("fields", "withheld"))
        manifest = Manifest(str(said["case"]), files, fields, withheld)
        is_ours = manifest.octets() == octets
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, InputError) as error:
        raise _altered("the manifest cannot be read", "what riparian wrote") from error
    if not is_ours:
        raise _altered("the manifest is not spelled as riparian does", "what it wrote")
    return manifest


def proof(head: Head, leaves: Sequence[bytes], event: Event) -> bytes:
    """Write the head of a log, and the path that proves an event to be in it.

    Parameters
    ----------
    leaves
        The lines of the whole log.

    Raises
    ------
    InputError
        When it is not in it.
    """
    line = event.line()
    if line not in leaves:
        raise InputError(f"event {event.number} of `{event.case}` is not in the log, wanted one of its events")
    index = list(leaves).index(line)
    path = inclusion([leaf(one) for one in leaves], index)
    said: dict[str, Any] = {"at": moment(head.at), "key": head.key, "root": head.root, "size": head.size}
    return canonical(
        {"head": {**said, "signature": head.signature}, "index": index, "path": [one.hex() for one in path]}
    )


def proven(octets: bytes, event: Event) -> Head:
    """Read what :func:`proof` wrote, and check that it proves the event.

    Raises
    ------
    CustodyError
        When it does not.
    """
    try:
        said = json.loads(octets)
        one = said["head"]
        head = Head(int(one["size"]), str(one["root"]), when(one["at"]), str(one["key"]), str(one["signature"]))
        index, path = int(said["index"]), [bytes.fromhex(node) for node in said["path"]]
        holds = is_included(leaf(event.line()), index, head.size, path, bytes.fromhex(head.root))
        shown = {**one, "root": bytes.fromhex(head.root).hex(), "at": moment(head.at)}
        again = canonical({"head": shown, "index": index, "path": [node.hex() for node in path]})
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, InputError) as error:
        raise _altered("the head of the log cannot be read", "what riparian wrote") from error
    if again != octets or not holds or set(one) != {"at", "key", "root", "signature", "size"}:
        raise _altered("the head of the log does not prove the export", "a path from its event to the root")
    if not head.is_genuine(event.key):
        raise _altered("the head of the log is not as it was signed", "the signature of the workspace")
    return head


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The custody of a bundle."""

    parts: Parts

    def measured(self, sha256: str) -> tuple[str, int] | None:
        return self.parts.measured(f"{CUSTODY}{sha256}")

    def opened(self, sha256: str) -> BinaryIO:
        return self.parts.opened(f"{CUSTODY}{sha256}")


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that was examined.

    Parameters
    ----------
    key
        Of the workspace that signed it; empty when nothing says which.
    head
        Of the log, when it was exported; None when nothing proves it.
    manifest
        None when it cannot be read.
    """

    examined: Examined
    key: str = ""
    head: Head | None = None
    manifest: Manifest | None = None


def opened(parts: Parts, *, key: str = "", roots: Sequence[bytes] = ()) -> Opened:
    """Examine a bundle.

    Parameters
    ----------
    key
        The public key of the workspace, in hexadecimal, as its owner told; empty where nobody did.
    roots
        Certificates in PEM, in which whoever examines believes; empty for those in the bundle.
    """
    faults: list[str] = []
    manifest = _try(lambda: read_manifest(_read(parts, MANIFEST)), faults)
    export = _try(lambda: read_event(_read(parts, EXPORT)), faults)
    if manifest is None or export is None:
        return Opened(Examined("", 0, faults=tuple(faults)), manifest=manifest)
    _compare(parts, manifest, faults)
    if key and export.key != key:
        faults.append(f"the bundle is signed by the key `{export.key}`, wanted `{key[:64]}`")
    if export.kind != "exported" or export.case != manifest.case or export.what.get("manifest") != manifest.digest:
        faults.append("the manifest is not the one that the export has, wanted the manifest of this bundle")
    head = _try(lambda: proven(_read(parts, HEAD), export), faults)
    people = _try(lambda: _people(_lines(parts, PEOPLE_LOG), export.key), faults) or {}
    lines = _try(lambda: _lines(parts, LOG), faults) or []
    _try(lambda: _follows(lines, export), faults)
    matter = Matter(
        manifest.case, lines, people, export.key, roots, frozenset(manifest.withheld), bool(manifest.fields)
    )
    found = examined(matter, _Evidence(parts))
    return Opened(replace(found, faults=(*faults, *found.faults)), export.key, head, manifest)


def _compare(parts: Parts, manifest: Manifest, faults: list[str]) -> None:
    proofs = {MANIFEST, EXPORT, HEAD}
    others = sorted(set(parts.names()) - set(manifest.files) - proofs)
    faults += [f"`{name[:100]}` is in the bundle and not in its manifest" for name in others]
    for name, (digest, size) in manifest.files.items():
        if parts.measured(name) != (digest, size):
            faults.append(f"`{name[:100]}` is not what the manifest says, wanted the SHA-256 `{digest}`")


def _people(lines: Sequence[bytes], key: str) -> Mapping[str, Person]:
    return people_of(chained(lines, PEOPLE, key))


def _follows(lines: Sequence[bytes], export: Event) -> None:
    events = followed(lines, export.case, export.key)
    if not events or (events[-1].digest, len(events)) != (export.previous, export.number):
        raise _altered("the export does not follow the last event of the bundle", "every event before it")


def _read(parts: Parts, name: str) -> bytes:
    measured = parts.measured(name)
    if measured is not None and measured[1] > _SMALL_MAX:
        raise _altered(f"`{name}` has {measured[1]:,} octets", f"{_SMALL_MAX:,} at most")
    with parts.opened(name) as file:
        return file.read()


def _lines(parts: Parts, name: str) -> list[bytes]:
    octets = _read(parts, name)
    lines = octets.split(b"\n")
    if lines.pop():
        raise _altered(f"the last line of `{name}` is cut short", "whole lines")
    return lines


def _try(act: Callable[[], Any], faults: list[str]) -> Any:
    try:
        return act()
    except RiparianError as error:
        faults.append(error.message)
        return None


def _altered(found: str, wanted: str) -> CustodyError:
    return CustodyError(f"{found}, wanted {wanted}", hint="Ask whoever exported it for another copy.")
