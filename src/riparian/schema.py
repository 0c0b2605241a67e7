"""The tables that cross a room, as Arrow schemas, and the codes inside them.

Inside the house every identifier is a 64-bit code (``uint64``): accounts, sessions, devices,
agents, networks and routes are keyed pseudonyms made at the door (:mod:`riparian.feeds`);
recordings are keyless codes of their identifier, so that a catalogue and a log agree.  Zero is
never a code and means "not given".  Times are microseconds since 1970, UTC.

A batch of accesses carries the required columns and whichever optional ones its log had; a bet
says which columns it needs and abstains without them.
"""

from enum import IntEnum
from typing import Final

import pyarrow as pa


class Action(IntEnum):
    """What an access asked for, as stored in ``ACCESS.action``."""

    PLAY = 1
    SEGMENT = 2
    LICENCE = 3
    METADATA = 4
    SEARCH = 5
    DOWNLOAD = 6


ACCESS: Final = pa.schema(
    [
        pa.field("at_us", pa.int64(), nullable=False),
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("recording", pa.uint64(), nullable=False),
        pa.field("action", pa.uint8()),
        pa.field("session", pa.uint64()),
        pa.field("position_ms", pa.int64()),
        pa.field("heartbeat", pa.bool_()),
        pa.field("bytes", pa.int64()),
        pa.field("rows", pa.int32()),
        pa.field("media_ms", pa.int32()),
        pa.field("device", pa.uint64()),
        pa.field("agent", pa.uint64()),
        pa.field("network", pa.uint64()),
        pa.field("country", pa.uint16()),
        pa.field("lat", pa.float32()),
        pa.field("lon", pa.float32()),
        pa.field("route", pa.uint64()),
        pa.field("status", pa.int16()),
        pa.field("surfaced", pa.bool_()),
        pa.field("given_to", pa.uint64()),
        pa.field("elevated", pa.bool_()),
    ]
)
"""One account fetched one thing.  ``rows`` counts metadata rows returned; ``media_ms`` is how
much sound the response held; ``country`` is ISO 3166 alpha-2 packed as two bytes; ``given_to`` is the account
to which the handle was given that the request used, none where there was no handle or a share link; ``elevated``
is whether the service treated the account as elevated, so that a lot might refuse it."""

ACCESS_REQUIRED: Final = ("at_us", "account", "recording")

RECORDING: Final = pa.schema(
    [
        pa.field("recording", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("artist", pa.string()),
        pa.field("album", pa.string()),
        pa.field("duration_ms", pa.int32()),
        pa.field("popularity", pa.float64()),
        pa.field("released", pa.date32()),
        pa.field("markets", pa.string()),
        pa.field("isrc", pa.string()),
        pa.field("owner", pa.string()),
        pa.field("licensed", pa.string()),
    ]
)
"""One recording that we hold.  ``popularity`` is any number that grows with plays (plays, or a
share of plays); ``markets`` is a space-separated list of countries, empty for everywhere; ``owner`` is whoever
delivers it, by name or by code, ``licensed`` who else may, separated by semicolons."""

LISTED: Final = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("artist", pa.string()),
        pa.field("album", pa.string()),
        pa.field("duration_ms", pa.int32()),
        pa.field("isrc", pa.string()),
        pa.field("upc", pa.string()),
        pa.field("iswc", pa.string()),
        pa.field("mbid", pa.string()),
        pa.field("platform_id", pa.string()),
        pa.field("added", pa.timestamp("us", "UTC")),
        pa.field("label", pa.string()),
        pa.field("territory", pa.string()),
        pa.field("path", pa.string()),
    ]
)
"""One row of a list that was found, as it is written there; every column but the first may be absent.  ``row``
counts from 0 over the whole list; ``added`` is when the list, or the service it was taken from, says that it came."""

MATCHED: Final = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("ours", pa.int64(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("error", pa.float32(), nullable=False),
        pa.field("chance", pa.float32(), nullable=False),
        pa.field("chance_work", pa.float32(), nullable=False),
        pa.field("chance_artist", pa.float32(), nullable=False),
        pa.field("bits", pa.float32(), nullable=False),
        pa.field("extrapolated", pa.float32(), nullable=False),
        pa.field("via", pa.string(), nullable=False),
    ]
)
"""One row of a list, weighed (:mod:`riparian.metadata.records`).  ``ours`` is the number of the row of ours that it is
most like, -1 for none.  ``level`` is the finest thing that is claimed: ``recording``, ``work``, ``artist`` or ``none``;
``error`` is the stated chance that this claim about ``ours`` is wrong.  ``chance`` is how likely the row is a recording
of ours, ``chance_work`` that its work is among ours and ``chance_artist`` that its artist is, found or not: summed,
they count.  ``bits`` were counted, ``extrapolated`` are those that the fitted tail adds; ``via`` says what carried it:
``isrc``, ``exact``, ``near`` or nothing."""

TERM: Final = pa.schema(
    [
        pa.field("scope", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("use", pa.string(), nullable=False),
        pa.field("says", pa.string(), nullable=False),
        pa.field("territories", pa.string()),
        pa.field("except_in", pa.string()),
        pa.field("begins", pa.timestamp("us", "UTC")),
        pa.field("ends", pa.timestamp("us", "UTC")),
        pa.field("grantee", pa.string()),
        pa.field("conditions", pa.string()),
        pa.field("holder", pa.string()),
        pa.field("document", pa.string(), nullable=False),
        pa.field("stated", pa.timestamp("us", "UTC")),
        pa.field("withdraws", pa.string()),
    ]
)
"""One thing that may be done with recordings, or may not: a row of the ledger that :mod:`riparian.catalogue.terms`
reads.  ``scope`` is ``recording``, ``label`` or ``all`` and ``subject`` which one (empty for ``all``); ``use`` is
``stream``, ``download``, ``train``, ``mine``, ``infer`` or ``search``; ``says`` is ``permitted`` or ``reserved``.
``territories`` are countries of ISO 3166 alpha-2 separated by spaces, null for everywhere, less those of ``except_in``;
it holds from ``begins`` until before ``ends``, null for always.  ``grantee`` is to whom it is said, null for anybody;
``conditions`` is a text or an address: what a permission asks for, or where a reserved use may be had; ``holder`` is
who says it, in ``document``, at ``stated`` (null where the document does not say: its keeper fills in when it came).
``withdraws`` is the digest of a row that this one takes back, in which case it says nothing else."""

SIGHTING: Final = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("what", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("artist", pa.string()),
        pa.field("length_us", pa.int64()),
        pa.field("bytes", pa.int64()),
        pa.field("changed_us", pa.int64()),
        pa.field("first_us", pa.int64(), nullable=False),
        pa.field("seen_us", pa.int64(), nullable=False),
        pa.field("permitted_by", pa.string()),
        pa.field("digest", pa.string()),
        pa.field("isrc", pa.string()),
    ]
)
"""Something found outside, and where (:mod:`riparian.flows.watching`).  ``source`` is what was watched, ``kind`` one of
``sitemap``, ``feed``, ``listing``, ``torrents``, ``folder`` or ``report``; ``url`` is where the thing is, and ``what``
it is: ``sound``, ``torrent``, ``magnet``, ``page`` or ``file``.  ``title``, ``artist``, ``isrc``, ``length_us``,
``bytes`` and ``changed_us`` are as the source says them, null where it does not.  ``first_us`` is when it was seen
first, ``seen_us`` when last.  ``permitted_by`` says who permitted that the source is asked, when, and where that is
written: null for a folder or a file of one's own.  ``digest`` is ``sha256:`` of a file that was read, or the
``urn:btih:`` of a torrent."""

ACCOUNT: Final = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("created", pa.timestamp("us", "UTC")),
        pa.field("plan", pa.string()),
        pa.field("streams", pa.int16()),
        pa.field("payment", pa.string()),
        pa.field("cohort", pa.string()),
        pa.field("honest", pa.bool_()),
        pa.field("exempt_until", pa.timestamp("us", "UTC")),
        pa.field("exempt_because", pa.string()),
    ]
)
"""What an operator knows of an account besides its accesses; every column but the first may be absent.
``streams`` is how many streams its plan plays at once."""

EVIDENCE: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("claim", pa.string(), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("bits_now", pa.float64(), nullable=False),
        pa.field("reached_us", pa.int64(), nullable=False),
        pa.field("as_of_us", pa.int64(), nullable=False),
    ]
)
"""One row an account: the most bits ever reached, when, the claim that carried most of them, and
the bits today.  :class:`riparian.evidence.Evidence` is one row of it, made when somebody must look."""

JOINED: Final = EVIDENCE.append(pa.field("bits_open", pa.float64(), nullable=False))
"""``EVIDENCE`` of all questions together (:mod:`riparian.accounts.join`).  ``bits_open`` is where a new
bet would be opened if everything up to now were answered; never below ``bits_now``."""

TRUTH: Final = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("persona", pa.string(), nullable=False),
        pa.field("ring", pa.string()),
    ]
)
"""What a simulated town knows of its own accounts: ``role`` is ``listener`` or ``copier``."""

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
