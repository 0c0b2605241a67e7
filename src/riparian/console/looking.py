"""What does a process do that looks at one file that was brought?

It is told which on its standard input, says how far it is in ``progress.json``, and writes what it found as
``result.json``: what the commands write with ``--json``, how bits add up, and pictures.  Accounts stand there as
pseudonyms: their names are looked up by whoever may see them, and are gone once they are erased.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from riparian import assembly
from riparian.assembly import Given
from riparian.codes import codes_of, label
from riparian.console import finds, words
from riparian.console.finds import Find
from riparian.console.shown import error_facts
from riparian.errors import InputError, RiparianError
from riparian.flows import told
from riparian.flows.extraction import Progress
from riparian.gate.policy import Policy, copy_error

if TYPE_CHECKING:
    from riparian.flows.leak import Leak, Together
    from riparian.flows.matching import Matches
    from riparian.marks.reading import Reading
    from riparian.ports.dumps import Desk

_EVERY_S: Final = 0.3
_NICER: Final = 10
_NAMED_MAX: Final = 6
_MAPS_MAX: Final = 3


@dataclass(slots=True)
class Said:
    """Says how far it is, not more often than anybody looks; ends when somebody cancelled it."""

    folder: Path
    _last_s: float = 0.0
    _stage: str = ""
    _begun_s: float = field(default_factory=time.monotonic)

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """See ``flows.extraction.Progress``."""
        now_s = time.monotonic()
        if stage == self._stage and now_s - self._last_s < _EVERY_S:
            return
        self._last_s, self._stage = now_s, stage
        if (self.folder / "cancelled").exists():
            os._exit(0)
        lasts_s = round(now_s - self._begun_s, 1)
        finds.write(self.folder / "progress.json", {"stage": stage, "done": done, "total": total, "seconds": lasts_s})


def main() -> None:
    """Look at what we are told to look at."""
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(_NICER)
    folder, find = Path(task["folder"]), Find(**task["find"])
    policy = Path(task["policy"]) if task["policy"] is not None else None
    finds.write(folder / "result.json", looked(Given(Path(task["workspace"]), policy), find, folder))


def looked(given: Given, find: Find, folder: Path) -> dict[str, Any]:
    """Look at one file, and tell what was found, or why nothing was."""
    path, progress = folder / f"brought{find.suffix}", Said(folder)
    progress("opening", 0, None)
    try:
        kind = find.kind if find.kind != "guess" else guessed(path)
        found = {"sound": _sound, "list": _list, "dataset": _dataset}[kind](given, find, path, progress)
    except RiparianError as error:
        failed = {name: _plainly(text, path, find) for name, text in error_facts(error).items()}
        return {"what": find.kind, "failed": failed}
    except Exception as error:  # noqa: BLE001 -- whoever brought it is told, and the operator sees where
        traceback.print_exc()
        failed = {"found": f"it failed with {type(error).__name__}", "wanted": "what can be read", "to_do": ""}
        return {"what": find.kind, "failed": failed}
    named: dict[str, Any] = _plainly({"what": kind, "failed": None, **found}, path, find)
    return named


def guessed(path: Path) -> str:
    """Guess by its first bytes what a file is: sound, a data set in a tar, or a list."""
    from riparian.feeds.dumps.tars import is_tar  # noqa: PLC0415 -- nothing else here needs it
    from riparian.feeds.sound_files import container_of  # noqa: PLC0415 -- as above

    with path.open("rb") as file:
        # Every text that begins oddly may be a frame of MPEG audio to whoever looks at two bytes only.
        if container_of(file) is not None:
            return "sound"
        head = file.read(1 << 16)
    return "dataset" if is_tar(head) else "list"


# --- sound -----------------------------------------------------------------------------------------------------------


def _sound(given: Given, find: Find, path: Path, progress: Progress) -> dict[str, Any]:
    policy = assembly.read_policy(given)
    with contextlib.ExitStack() as stack:
        library = matches = None
        if assembly.has_prints(given) or not find.traces:
            from riparian.flows.matching import match_files  # noqa: PLC0415 -- kernels

            library = stack.enter_context(assembly.library(given))
            matches = match_files(library, library.find([str(path)]), policy, 1.0, progress)
        found = _matched(matches, policy) if matches is not None else {"lines": [], "matched": None}
        if library is not None and matches is not None:
            from riparian.console.heard import heard_beside  # noqa: PLC0415 -- kernels

            (one,) = matches.looked
            sure = [answer for answer in one.answers if answer.error <= copy_error(policy)]
            found["pairs"] = heard_beside(library, one, sure, words.visible(find.name), progress)
        failed = matches is not None and bool(matches.looked[0].failed)
        return {**found, **(_traced(given, path, policy, progress) if find.traces and not failed else {"traced": None})}


def _matched(matches: "Matches", policy: Policy) -> dict[str, Any]:
    (one,) = matches.looked
    answers = [
        {
            "claim": answer.claim,
            "recording": answer.recording,
            "is_sure": answer.error <= copy_error(policy),
            "error": answer.error,
            "bits": answer.bits,
            "rows": [list(row) for row in answer.rows],
            "spans": [{**span, "changed": words.changed(span["speed"], span["semitones"])} for span in answer.spans],
            "exact": answer.is_exact,
            "covered": answer.facts["covered"],
            "of_ours": answer.facts["of_ours"],
            "rivals": list(answer.rivals),
        }
        for answer in one.answers
    ]
    about = {
        "seconds": one.seconds,
        "why_nothing": one.why_nothing,
        "failed": one.failed,
        "prints": matches.recordings,
        "error": copy_error(policy),
        "answers": answers,
    }
    return {"lines": list(told.matched(matches, policy, is_library=False)), "matched": about}


def _traced(given: Given, path: Path, policy: Policy, progress: Progress) -> dict[str, Any]:
    from riparian.flows.leak import Sighting, trace_leak  # noqa: PLC0415 -- as in `_sound`
    from riparian.flows.recognising import recognise  # noqa: PLC0415 -- as above

    try:
        with assembly.studio(given) as studio, contextlib.ExitStack() as stack:
            sighting = Sighting((path,))
            if assembly.has_prints(given):
                library = stack.enter_context(assembly.library(given))
                leak = trace_leak(
                    studio, sighting, policy, progress, partial(recognise, library, policy, progress=progress)
                )
            else:
                leak = trace_leak(studio, sighting, policy, progress)
            return {"traced": _leaked(leak, studio.pseudonyms)}
    except RiparianError as error:
        # What was recognised stays true where nobody can be named.
        return {"traced": {"failed": error_facts(error)}}


def _leaked(leak: "Leak", key: bytes) -> dict[str, Any]:
    (read,) = leak.reads
    return {
        "failed": None,
        "recording": read.reading.recording if read.reading is not None else None,
        "why": read.failed,
        "cover": read.reading.facts.cover if read.reading is not None else None,
        "pilot": read.reading.pilot_z if read.reading is not None else None,
        "masters": leak.tried.masters,
        "missing": list(leak.missing),
        "batches": [_batch(one, key) for one in leak.together if one.traced is not None],
    }


def _batch(one: "Together", key: bytes) -> dict[str, Any]:
    from riparian.console import copies  # noqa: PLC0415 -- as in `_sound`

    traced = one.traced
    assert traced is not None  # noqa: S101 -- asked before
    codes = codes_of(pa.array([one.candidates[each.candidate] for each in traced.named], pa.string()), key)
    names = [label(int(code)) for code in codes]
    places = [(name, each.candidate) for name, each in zip(names, traced.named, strict=True)][:_NAMED_MAX]
    crowd = traced.crowd.deviations
    return {
        "candidates": len(one.candidates),
        "needed_bits": traced.needed_bits,
        "runner_up_bits": max(0.0, traced.runner_up_bits),
        "issued": [
            {
                "pseudonym": name,
                "bits": each.evidence.bits,
                "error_bound": one.error_bound(each),
                "rows": [[row.label, row.bits] for row in each.evidence.waterfall],
            }
            for name, each in zip(names, traced.named, strict=True)
        ],
        "crowd": _drawn(lambda width: copies.beside_the_crowd(crowd, places, width=width, ident=f"crowd-{width}")),
        "maps": [
            _drawn(partial(_map, read.reading, n)) for n, read in enumerate(one.reads[:_MAPS_MAX]) if read.reading
        ],
    }


def _map(reading: "Reading", n: int, width: int) -> Any:
    from riparian.console import copies  # noqa: PLC0415 -- as in `_sound`

    return copies.in_its_master(reading, [], width=width, ident=f"map-{n}-{width}")


# --- lists, and data sets ---------------------------------------------------------------------------------------------


def _list(given: Given, find: Find, path: Path, progress: Progress) -> dict[str, Any]:
    from riparian.console.days_of_lists import when_taken  # noqa: PLC0415 -- as in `_sound`
    from riparian.console.dumped import drawings  # noqa: PLC0415 -- as above
    from riparian.feeds.dumps.read import read_dump, state_of  # noqa: PLC0415 -- as above
    from riparian.feeds.dumps.vocabulary import KINDS, vocabulary_of  # noqa: PLC0415 -- as above
    from riparian.flows import dumping  # noqa: PLC0415 -- as above

    del find
    paths = [str(path)]
    with _desk(given, path) as desk:
        known = desk.catalogue.whole(list(KINDS))
        found, _ = dumping.dump(
            desk, state_of(paths, {}), lambda: read_dump(paths, vocabulary_of(known), {}), 1.0, progress
        )
    when = when_taken(found.taken, found.latest) if found.taken is not None or found.latest is not None else ""
    return {"lines": list(told.dumped(found)), "when": when, "drawn": {k: str(v) for k, v in drawings(found).items()}}


def _dataset(given: Given, find: Find, path: Path, progress: Progress) -> dict[str, Any]:
    from riparian.assembly.datasets import (  # noqa: PLC0415 -- as in `_sound`
        about_of,
        digests_of,
        parts_of,
        published_us,
    )
    from riparian.flows import auditing  # noqa: PLC0415 -- as above
    from riparian.flows.audited import NEAR_ROWS, Wanted  # noqa: PLC0415 -- as above

    del find
    paths = [str(path)]
    of_it = about_of(paths)
    with _desk(given, path) as desk:
        wanted = Wanted(digests_of(given), published_us(of_it), NEAR_ROWS, None, None)
        found = auditing.audit(desk, parts_of(desk, paths, of_it, {}, with_digests=True), wanted, progress)
    if not found.items:
        why = found.unread[0][1] if found.unread else "no file has any"
        raise InputError(f"there is no item in it ({why}), wanted a data set")
    return {"lines": list(told.audited(found, of_it))}


@contextlib.contextmanager
def _desk(given: Given, path: Path) -> Iterator["Desk"]:
    """Open what lists are compared at; what is read of one stays beside it, and is deleted with it."""
    from riparian.stores.dumps import open_shelf  # noqa: PLC0415 -- as in `_sound`

    with assembly.desk(given) as desk:
        yield replace(desk, open_shelf=partial(open_shelf, path.parent))


def _drawn(draw: Callable[[int], Any]) -> str:
    from riparian.console.figures import NARROW, WIDE  # noqa: PLC0415 -- as in `_sound`

    return "".join(str(draw(width)) for width in (WIDE, NARROW))


def _plainly(told_: Any, path: Path, find: Find) -> Any:
    """Write what it is called in the place of where it lies."""
    if isinstance(told_, str):
        return told_.replace(str(path), find.name).replace(path.name, find.name)
    if isinstance(told_, Mapping):
        return {str(name): _plainly(one, path, find) for name, one in told_.items()}
    if isinstance(told_, (list, tuple)):
        return [_plainly(one, path, find) for one in told_]
    return told_


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    # Decoders are of our group, which the console made for us.
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main()
