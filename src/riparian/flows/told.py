"""How is what was found written for programs, by commands and by pages alike?

One object a line, each with its ``kind``, as JSON has it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from riparian.gate.policy import Policy, copy_error
from riparian.metadata.datasets import Bounds

if TYPE_CHECKING:
    # Kernels, which whoever writes a list has no need of.
    from riparian.flows.audited import Audited
    from riparian.flows.dumping import Dumped, Reviewed
    from riparian.flows.leak import Leak, Together
    from riparian.flows.matching import Answer, Looked, Matches
    from riparian.marks.trace import Named
    from riparian.metadata.taken import Taken
    from riparian.prints.libraries import Interval


class About(Protocol):
    """What a data set says of itself."""

    @property
    def name(self) -> str:
        """What it is called; empty where nothing says."""
        ...

    @property
    def licences(self) -> Sequence[str]:
        """Which licences it names."""
        ...

    @property
    def published(self) -> date | None:
        """When it was published."""
        ...

    @property
    def sources(self) -> Sequence[str]:
        """Which files say so."""
        ...


# --- sound: what of ours is in it, and to whom it was issued ---------------------------------------------------------


def matched(matches: "Matches", policy: Policy, *, is_library: bool) -> Iterator[dict[str, Any]]:
    """Write what is sure enough under the policy, what cannot be heard, and of a library how much is ours."""
    for one in matches.looked:
        if one.failed and one.is_sound:
            yield {"kind": "failed", "path": one.file.name, "why": one.failed}
        for answer in one.answers:
            if answer.error <= copy_error(policy):
                yield _answered(one, answer)
    if is_library:
        yield {"kind": "summary", **counts(matches, policy)} | {
            "files_ours": _interval(matches.estimated.files_ours),
            "recordings_ours": _interval(matches.estimated.recordings_ours),
        }


def _answered(one: "Looked", answer: "Answer") -> dict[str, Any]:
    return {
        "kind": answer.claim,
        "recording": answer.recording,
        "path": one.file.name,
        "bits": answer.bits,
        "error": answer.error,
        "spans": list(answer.spans),
        "exact": answer.is_exact,
        "extrapolated": bool(answer.facts.get("extrapolated", False)),
        "covered": answer.facts["covered"],
        "of_ours": answer.facts["of_ours"],
        "rivals": list(answer.rivals),
    }


def counts(matches: "Matches", policy: Policy) -> dict[str, int]:
    """Count files: how many there are, were heard, failed, and hold something of ours."""
    heard = [one for one in matches.looked if not one.failed]
    return {
        "files": matches.files,
        "sampled": len(matches.looked),
        "heard": len(heard),
        "failed": sum(bool(one.failed) and one.is_sound for one in matches.looked),
        "found": sum(bool(one.copies(policy)) for one in heard),
        "nothing_to_tell": sum(one.why_nothing not in {"", "not ours"} for one in heard),
        "prints": matches.recordings,
    }


def issued(leak: "Leak") -> list[dict[str, Any]]:
    """Write to whom copies were issued: what is above policy, and nothing else."""
    return [_issued(one, named) for one in leak.together if one.traced is not None for named in one.traced.named]


def _issued(one: "Together", named: "Named") -> dict[str, Any]:
    by_recording = named.evidence.facts["bits_by_recording"]
    assert isinstance(by_recording, dict)  # noqa: S101 -- see marks.trace
    return {
        "kind": "issued",
        "account": one.candidates[named.candidate],
        # The one that says most, of those that were traced together.
        "recording": max(by_recording, key=by_recording.__getitem__),
        "recordings": len(one.reads),
        "bits": named.evidence.bits,
        "error_bound": one.error_bound(named),
    }


# --- lists, and data sets ---------------------------------------------------------------------------------------------


def dumped(found: "Dumped") -> Iterator[dict[str, Any]]:
    """Write what was read of a list, the slices, rows for people, and the summary."""
    for one in found.read["sheets"]:
        yield {"kind": "sheet", **one}
    for name, slices in found.slices.items():
        for each in slices:
            yield {"kind": "slice", "of": name, "name": each.name, "held": each.held, "ours": each.ours.told()}
    for row in found.review:
        yield _row(row)
    yield {
        "kind": "summary",
        "list": found.name,
        "rows": found.read["rows"],
        "rejected": found.read["rejected"],
        "sampled": found.looked,
        "held": found.held,
        "rows_ours": found.rows_ours.told(),
        "recordings_ours": found.recordings_ours.told(),
        "of_catalogue": found.of_catalogue.told(),
        "of_plays": found.of_plays.told() if found.of_plays else None,
        "taken": _taken(found.taken),
        "latest": found.latest.isoformat() if found.latest else None,
        "sure": dict(found.levels),
        "errors": {level: list(of) for level, of in found.errors.items()},
    }


def _row(one: "Reviewed") -> dict[str, Any]:
    theirs = {name: str(value) if name == "added" else value for name, value in one.theirs.items()}
    return {
        "kind": "row",
        "row": one.row,
        "theirs": theirs,
        "ours": dict(one.ours),
        "level": one.level,
        "error": one.error,
        "bits": one.bits,
        "extrapolated": one.extrapolated,
        "via": one.via,
    }


def _taken(of: "Taken | None") -> dict[str, Any] | None:
    if of is None:
        return None
    days = {name: getattr(of, name).isoformat() for name in ("estimate", "low", "high")}
    return {**days, "days": of.days, "open": of.is_open}


def audited(found: "Audited", of_it: About, heard: "Matches | None" = None) -> Iterator[dict[str, Any]]:
    """Write what a data set says of itself, what could not be read, licences, terms, what was heard, and a summary."""
    yield {
        "kind": "dataset",
        "name": of_it.name,
        "licences": list(of_it.licences),
        "published": str(of_it.published) if of_it.published else None,
        "said_in": list(of_it.sources),
        "files": dict(found.sources),
    }
    for where, why in found.unread:
        yield {"kind": "unread", "where": where, "why": why}
    for licence, (items, ours, stances) in found.licences.items():
        train = {str(stance): n for stance, n in stances.items()}
        yield {"kind": "licence", "licence": licence, "items": items, "ours": ours, "train": train}
    for said in found.said:
        yield {
            "kind": "terms",
            "use": str(said.use),
            "as_of_us": said.as_of_us,
            "items": {str(stance): _bounds(counted) for stance, counted in said.items.items()},
            "recordings": {str(stance): n for stance, n in said.recordings.items()},
            "reserved_by_a_document": said.said,
        }
    if heard is not None:
        yield {
            "kind": "sound",
            "files": heard.files,
            "heard": sum(not one.failed for one in heard.looked),
            "files_ours": _interval(heard.estimated.files_ours),
            "recordings_ours": _interval(heard.estimated.recordings_ours),
        }
    yield _audit(found)


def _audit(found: "Audited") -> dict[str, Any]:
    near = found.near
    return {
        "kind": "summary",
        "items": found.items,
        "ours": _bounds(found.ours),
        "recordings": _bounds(found.recordings),
        "held": found.held,
        "levels": {name: {"items": items, "recordings": n} for name, (items, n) in found.levels.items()},
        "weighed": None
        if near is None
        else {"left": near.left, "asked": near.asked, "ours": _bounds(near.items), "recordings": near.recordings},
        "control": {"recordings": found.control[0], "found": found.control[1]},
        "mistaken": _bounds(found.mistaken),
    }


def _bounds(of: Bounds) -> dict[str, float]:
    return {"estimate": of.estimate, "low": of.low, "high": of.high}


def _interval(of: "Interval") -> Mapping[str, float]:
    return {"estimate": of.estimate, "low": of.low, "high": of.high}


__all__ = ["About", "audited", "counts", "dumped", "issued", "matched"]
