"""What of an artist's, or a label's, was found, where, how surely, and what had been said of it then?

A statement is one JSON object, signed by whoever keeps the catalogue (JWS, Ed25519): who has it and the public key
knows who said so and that nothing was changed since, and needs no server.  It holds findings and what the ledger of
terms decided at the time of each; it accuses nobody, and counts how many of its findings are expected to be mistakes.

Source
------
RFC 7515 (JWS, compact), RFC 8037 (Ed25519); what a reservation decides is :mod:`riparian.catalogue.consent`'s.
"""

import json
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from riparian.catalogue.consent import Asked, Decided, Ledger, Stance
from riparian.catalogue.terms import Use
from riparian.errors import CustodyError, InputError

TYPE: Final = "riparian-statement+jws"
VERSION: Final = 1
USES: Final = (Use.TRAIN, Use.MINE, Use.DOWNLOAD, Use.STREAM)
"""What is told of, in this order."""
LIMITS: Final = (
    "It says what was looked at, and nothing of what was not.",
    "It says what a list or a data set holds, not what a model was trained on.",
    "A finding is not a wrong: a licence that nobody noted, a quotation or a parody may be lawful.",
)


@dataclass(frozen=True, slots=True)
class Sort:
    """How something was found: what was the same, and what is said of it to people."""

    name: str
    sentence: str


SORTS: Final[Mapping[str, Sort]] = {
    one.name: one
    for one in (
        Sort("sound", "it sounds the same"),
        Sort("hash", "it is the same file"),
        Sort("identifier", "it has the same code"),
        Sort("names", "it has the same title, artist and version"),
        Sort("near", "its title, artist and length are nearly the same"),
    )
}


@dataclass(frozen=True, slots=True)
class Found:
    """One recording, found somewhere.

    Parameters
    ----------
    recording
        As the catalogue names it.
    where
        An address, or the name of a file, a list or a data set.
    by
        One of :data:`SORTS`.
    error
        The stated chance that it is a mistake; None where nobody states one.
    at_us
        When it was found or, where that is known, published; microseconds since 1970, UTC, None where nobody says.
    source
        The file or case that says so.
    """

    recording: str
    where: str
    by: str
    error: float | None = None
    at_us: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Ours:
    """One recording as the catalogue has it."""

    recording: str
    title: str = ""
    artist: str = ""
    isrc: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """One source that was looked at: its name, SHA-256 in hex, and how many findings in it are of this statement."""

    name: str
    sha256: str
    found: int


@dataclass(frozen=True, slots=True)
class Asking:
    """Of whom a statement is, who makes it, and when.

    Parameters
    ----------
    what
        ``artist`` or ``label``.
    name
        As the catalogue writes it.
    by
        Who says so: the keeper of the catalogue.
    at_us
        Now; microseconds since 1970, UTC.
    head
        The last digest of the chain of terms, by which what was reserved is proven; empty where there is none.
    """

    what: str
    name: str
    by: str
    at_us: int
    head: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed; see the module.

    Parameters
    ----------
    said
        The whole, as JSON has it.
    """

    said: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """Of whom it is."""
        return str(self.said["of"]["name"])

    @property
    def octets(self) -> bytes:
        """Write what is signed."""
        return json.dumps(self.said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def stated(
    asking: Asking, ours: Sequence[Ours], found: Iterable[Found], ledger: Ledger, looked: Sequence[Looked] = ()
) -> Statement:
    """Say it.

    Parameters
    ----------
    ours
        All recordings of the artist or label that are held.
    found
        Findings; those of other recordings are passed over, of those that say the same the surest is kept.
    looked
        What was looked at.

    Raises
    ------
    InputError
        When nothing of theirs is held.

    Examples
    --------
    >>> from riparian.catalogue.terms import Says, Scope, Term
    >>> ledger = Ledger([Term(Scope.ALL, "", Use.TRAIN, Says.RESERVED, "policy.pdf", stated_us=0)])
    >>> found = [Found("r-1", "songs/train.jsonl", "names", 0.01), Found("r-9", "elsewhere", "sound")]
    >>> one = stated(Asking("artist", "Mira", "Reed", 10**15), [Ours("r-1", "Tide", "Mira")], found, ledger)
    >>> one.said["totals"]["recordings"], one.said["totals"]["expected_mistakes"]
    (1, 0.01)
    >>> one.said["found"][0]["terms"]["train"]
    {'stance': 'reserved', 'document': 'policy.pdf', 'stated': '1970-01-01'}
    """
    if not ours:
        raise InputError(
            f"nothing of {asking.what} `{asking.name}` is held, wanted a name as the catalogue writes it",
            hint="Look the name up with `riparian catalogue search NAME`.",
        )
    of = {one.recording: one for one in ours}
    rows = _surest(one for one in found if one.recording in of)
    errors = [one.error for one in rows if one.error is not None]
    return Statement(
        {
            "kind": "statement",
            "version": VERSION,
            "of": {"what": asking.what, "name": asking.name},
            "by": asking.by,
            "at": _moment(asking.at_us),
            "held": len(of),
            "found": [_told(one, of[one.recording], ledger, asking.at_us) for one in rows],
            "consent": [_consent(use, ours, ledger, asking.at_us) for use in USES],
            "looked_at": [asdict(one) for one in looked],
            "terms_head": asking.head,
            "totals": {
                "findings": len(rows),
                "recordings": len({one.recording for one in rows}),
                "expected_mistakes": round(sum(errors), 6),
                "without_error": len(rows) - len(errors),
            },
            "limits": list(LIMITS),
        }
    )


def signed(statement: Statement, key: str, sign: Callable[[bytes], bytes]) -> str:
    """Sign it: a JWS in compact form that holds all of it.

    Parameters
    ----------
    key
        The public key, in hex.
    sign
        Ed25519, with its private half.

    Examples
    --------
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    >>> key = own.public_key().public_bytes_raw().hex()
    >>> token = signed(Statement({"kind": "statement", "version": 1, "of": {"name": "Mira"}}), key, own.sign)
    >>> verified(token, key).name
    'Mira'
    >>> verified(token, "00" * 32)
    Traceback (most recent call last):
    riparian.errors.CustodyError: the statement is not as the holder of this key signed it, wanted one that nobody ...
    """
    head = {"alg": "Ed25519", "kid": key[:16], "typ": TYPE}
    body = f"{_base64(json.dumps(head, separators=(',', ':')).encode())}.{_base64(statement.octets)}"
    return f"{body}.{_base64(sign(body.encode()))}"


def verified(token: str, key: str) -> Statement:
    """Read a statement that the holder of a key signed.

    Parameters
    ----------
    token
        As :func:`signed` writes it.
    key
        The public key, in hex.

    Raises
    ------
    CustodyError
        When another key signed it, or it was changed.
    InputError
        When the key is none.
    """
    try:
        public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": _base64(bytes.fromhex(key))})
    except (ValueError, JoseError) as error:
        raise InputError(f"`{key[:80]}` is no public key, wanted 64 hexadecimal digits") from error
    try:
        return Statement(_payload(jws.deserialize_compact(token.strip().encode(), public, algorithms=["Ed25519"])))
    except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CustodyError(
            "the statement is not as the holder of this key signed it, wanted one that nobody has changed",
            hint="Ask whoever sent it for the file again, and compare the key with the one that they publish.",
        ) from error


def _payload(found: jws.CompactSignature) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(found.payload or b"")
    if found.headers().get("typ") != TYPE or said["version"] != VERSION:
        raise ValueError("another type, or another version")
    return said


def _surest(found: Iterable[Found]) -> list[Found]:
    best: dict[tuple[str, str], Found] = {}
    for one in found:
        place = (one.recording, one.where)
        if place not in best or _doubt(one) < _doubt(best[place]):
            best[place] = one
    return sorted(best.values(), key=lambda one: (_doubt(one), one.recording, one.where))


def _doubt(one: Found) -> float:
    return 1.0 if one.error is None else one.error


def _told(one: Found, ours: Ours, ledger: Ledger, now_us: int) -> dict[str, Any]:
    at_us = one.at_us if one.at_us is not None else now_us
    decided = {
        str(use): ledger.decide(Asked(use, at_us, one.recording, ours.label, as_of_us=at_us))
        for use in (Use.TRAIN, Use.MINE)
    }
    return {
        **asdict(ours),
        "where": one.where,
        "by": one.by,
        "error": one.error,
        "at": _moment(one.at_us) if one.at_us is not None else None,
        "source": one.source,
        "terms": {use: _decided(each) for use, each in decided.items()},
    }


def _decided(decided: Decided) -> dict[str, Any]:
    stated_us = decided.by.stated_us if decided.by is not None else None
    day = _moment(stated_us)[:10] if stated_us is not None else None
    return {"stance": str(decided.stance), "document": decided.document, "stated": day}


def _consent(use: Use, ours: Sequence[Ours], ledger: Ledger, at_us: int) -> dict[str, Any]:
    decided = ledger.decide_all(Asked(use, at_us), [one.recording for one in ours], [one.label for one in ours])
    stances = Counter(str(one.stance) for one in decided)
    return {
        "use": str(use),
        "recordings": {str(stance): stances[str(stance)] for stance in Stance},
        "documents": sorted({one.document for one in decided if one.by is not None}),
        "said": sum(one.by is not None for one in decided),
    }


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
