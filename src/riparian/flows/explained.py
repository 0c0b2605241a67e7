"""What is a program told of one account or ring: the waterfall, the decision, and what was done?"""

from collections.abc import Sequence
from typing import Any

from riparian.codes import label
from riparian.flows.findings import Account
from riparian.flows.lines import account_line, written
from riparian.flows.rings import Ringed, because_of, ring_label
from riparian.schema import DAY_US


def account_told(name: str, account: Account, *, recompute: str) -> dict[str, Any]:
    """Tell the same to a program; kind ``explanation``."""
    evidence, decision = account.evidence, account.decision
    made: dict[str, Any] = {
        "kind": "explanation",
        "account": name,
        "pseudonym": label(evidence.subject),
        "claim": evidence.claim.name,
        "sentence": evidence.claim.sentence,
        "null": evidence.claim.null,
        "bits": evidence.bits,
        "reached_at": written(evidence.reached_us),
        "waterfall": [{"label": row.label, "bits": row.bits} for row in evidence.waterfall],
        "source": {"name": evidence.source.name, "version": evidence.source.version},
        "facts": dict(_told_fact(name, value) for name, value in evidence.facts.items()),
        "others": [
            {
                "question": o.facts["question"],
                "claim": o.claim.name,
                "bits": o.bits,
                "reached_at": written(o.reached_us),
            }
            for o in account.others
        ],
        "ring": None if account.ring is None else ring_label(account.ring),
        "decision": None,
        "refusals": [{"budget": r["budget"], "refused": r["refused_ever"]} for r in account.refusals],
        "events": [
            {"at": written(e.at_us), "step": str(e.step), "person": e.person, "reason": e.reason}
            for e in account.events
        ],
        "recompute": recompute,
    }
    if decision is not None:
        line = account_line(name, decision, evidence.reached_us)
        made["decision"] = {k: v for k, v in line.items() if k not in ("kind", "account", "pseudonym")}
    return made


def ring_told(found: Ringed, names: Sequence[str], *, recompute: str) -> dict[str, Any]:
    """Tell the same to a program; kind ``explanation``."""
    row, evidence, seen = found.row, found.evidence, found.overlap
    return {
        "kind": "explanation",
        "ring": ring_label(row["ring"]),
        "claim": evidence.claim.name,
        "sentence": evidence.claim.sentence,
        "null": evidence.claim.null,
        "bits": evidence.bits,
        "found_at": written(row["found_us"]),
        "because": because_of(row),
        "waterfall": [{"label": step.label, "bits": step.bits} for step in evidence.waterfall],
        "source": {"name": evidence.source.name, "version": evidence.source.version},
        "facts": {name: row[name] for name in ("order", "fetches", "expected", "seen", "price")},
        "overlap": {
            "days": [written(int(day) * DAY_US)[:10] for day in seen.days],
            "expected": seen.expected.tolist(),
            "seen": seen.seen.tolist(),
        },
        "artists": [{"artist": artist, "expected": expected, "seen": met} for artist, expected, met in found.artists],
        "accounts": [
            {"account": name, "pseudonym": label(m.account), "bits": m.bits, "action": m.restraint.name.lower()}
            for name, m in zip(names, found.members, strict=True)
        ],
        "recompute": recompute,
    }


def _told_fact(name: str, value: object) -> tuple[str, object]:
    if name.endswith("_us"):
        return f"{name.removesuffix('_us')}_at", written(value if isinstance(value, int) else 0)
    return name, value
