"""How is a case put together for somebody else, who will check it without us?"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from riparian.cases import bundle
from riparian.cases.bundle import Manifest
from riparian.cases.custody import item_of
from riparian.cases.events import PEOPLE, Event, Proposed
from riparian.cases.redaction import Opening, redacted
from riparian.cases.stamps import ROOTS, TOKEN
from riparian.errors import CustodyError, LifecycleError
from riparian.flows import casework
from riparian.ports.cases import Docket

ALWAYS: Final = ("issued.text",)
"""What never leaves the machine: to whom a copy was issued."""
_ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in a bundle.

    Parameters
    ----------
    fields
        What is hidden (see :func:`riparian.cases.redaction.redacted`), beside :data:`ALWAYS`.
    evidence
        Whether evidence is in it; its digests are in any case.
    keeping
        Digests of evidence that is in it all the same.
    under_seal
        Whether it stays with counsel, who may have what is under seal.
    """

    fields: tuple[str, ...] = ()
    evidence: bool = True
    keeping: tuple[str, ...] = ()
    under_seal: bool = False


_ALL: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that is about to be written.

    Parameters
    ----------
    parts
        By name: the octets, or the SHA-256 under which they lie in custody.
    openings
        What shows hidden values again: for whoever exported it, and in no bundle.
    """

    parts: dict[str, bytes | str]
    manifest: Manifest
    openings: tuple[Opening, ...]


def export(
    docket: Docket,
    key: str,
    by: str,
    random: Callable[[int], bytes],
    wanted: Wanted = _ALL,
) -> Exported:
    """Put a case together for somebody else, and write down that it was.

    Parameters
    ----------
    random
        Gives as many random octets as it is asked for.

    Raises
    ------
    LifecycleError
        When the case is under seal.
    InputError
        When there is no such case, or a field cannot be hidden.
    """
    for _ in range(_ATTEMPTS):
        case = casework.read(docket, key)
        if case.sealed and not wanted.under_seal:
            raise LifecycleError(
                f"`{key}` is under seal, wanted its release",
                hint="Counsel releases it with `riparian case release`; what stays with counsel has --under-seal.",
            )
        exported = _exported(docket, key, docket.cases.read(key), random, wanted)
        manifest = exported.manifest
        what = {"manifest": manifest.digest, "fields": list(manifest.fields), "withheld": len(manifest.withheld)}
        written = docket.cases.append(
            key, [Proposed("exported", what, casework.now(docket.clock), by)], length=case.length
        )
        if written:
            head, leaves = docket.cases.head(), docket.cases.leaves()
            exported.parts[bundle.MANIFEST] = manifest.octets()
            exported.parts[bundle.EXPORT] = written[0].line()
            exported.parts[bundle.HEAD] = bundle.proof(head, leaves[: head.size], written[0])
            return exported
    raise LifecycleError(f"`{key}` was written to by others meanwhile, wanted a moment between", hint="Try again.")


def _exported(
    docket: Docket,
    key: str,
    events: Sequence[Event],
    random: Callable[[int], bytes],
    wanted: Wanted,
) -> Exported:
    fields = tuple(dict.fromkeys([*ALWAYS, *wanted.fields]))
    shown = [redacted(event, fields, random) for event in events]
    people = docket.cases.read(PEOPLE)
    parts: dict[str, bytes | str] = {
        bundle.LOG: b"".join(line + b"\n" for line, _ in shown),
        bundle.PEOPLE_LOG: b"".join(event.line() + b"\n" for event in people),
        bundle.README: bundle.ABOUT,
    }
    items = {item.sha256: item.media_type for event in events if (item := item_of(event)) is not None}
    proofs = (TOKEN, ROOTS)
    left_out = {
        one for one, kind in items.items() if not wanted.evidence and kind not in proofs and one not in wanted.keeping
    }
    parts |= {f"{bundle.CUSTODY}{one}": one for one in items if one not in left_out}
    files = {name: _measured(docket, part) for name, part in parts.items()}
    manifest = Manifest(key, files, fields, tuple(sorted(left_out)))
    return Exported(parts, manifest, tuple(opening for _, openings in shown for opening in openings))


def _measured(docket: Docket, part: bytes | str) -> tuple[str, int]:
    if isinstance(part, bytes):
        return hashlib.sha256(part).hexdigest(), len(part)
    measured = docket.custody.measured(part)
    if measured is None or measured[0] != part:
        raise CustodyError(
            f"`{part}` is not in custody as it was kept, wanted a whole case", hint="Run `riparian case verify`."
        )
    return measured
