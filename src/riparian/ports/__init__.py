"""What the house asks of the outside: a few protocols, and ``World`` and ``Studio``, which hold them.

A flow is handed a :class:`World`, or a :class:`Studio` where sound is marked, and names no adapter;
:mod:`riparian.assembly` names both.  Every port that keeps something has an adapter in memory and one in a workspace
folder, and one suite in ``tests/contracts`` runs over both.  An adapter turns a stray error of the outside into
``OutsideError`` with its cause.

One scan is one generation
--------------------------
Nothing that a scan computes is visible before its commit, and the commit is one transaction.  A
scan that is killed, at any point, leaves what was visible before, and staged chunks that the next
scan reuses; a chunk counts once, however often it is read::

    with world.scans.alone():                          # a second scan: LifecycleError
        for chunk in chunks:                           # the feed asks world.staging.known first
            world.staging.add(chunk)
        scan = world.scans.begin(context)              # the staged chunks are frozen here
        for bucket in range(BUCKETS):
            if scan.saved(bucket):                     # by the scan that was killed
                continue
            columns = scan.columns(bucket)             # rows not yet counted
            arrays = world.tallies.load(bucket)        # as of the last commit; None at first
            ...
            scan.save(bucket, arrays, {"evidence": evidence, "refusals": refusals})
        decisions = ...scan.table("evidence")...       # of this generation, all buckets
        scan.commit(decisions, summary)                # everything becomes visible

``context`` says on what, besides the chunks, the results depend (policy, people, catalogue, version):
drafts made in another context, or of other chunks, are thrown away and made anew.  The day and
hour of a resumed scan are those of its beginning: use ``scan.begun_us``, never the clock, for whatever is saved.

A bucket that is not saved keeps what the last commit gave it.  ``SHARED`` is one more drawer, beside
the buckets, for state that spans them (parent budgets): ``load(SHARED)``, ``save(SHARED, ...)``.
"""

from riparian.ports.jobs import Jobs
from riparian.ports.studio import Grants, MarkKeys, Studio
from riparian.ports.world import (
    ABSENT,
    SHARED,
    Arrays,
    Asked,
    Catalogue,
    Chunk,
    Clock,
    Decisions,
    Delta,
    Findings,
    Offsets,
    Place,
    Reached,
    Reactive,
    Reject,
    Scan,
    Scans,
    Staging,
    Standing,
    Tallies,
    Told,
    Vault,
    Verdict,
    Verdicts,
    World,
)

__all__ = [
    "ABSENT",
    "SHARED",
    "Arrays",
    "Asked",
    "Catalogue",
    "Chunk",
    "Clock",
    "Decisions",
    "Delta",
    "Findings",
    "Grants",
    "Jobs",
    "MarkKeys",
    "Offsets",
    "Place",
    "Reached",
    "Reactive",
    "Reject",
    "Scan",
    "Scans",
    "Staging",
    "Standing",
    "Studio",
    "Tallies",
    "Told",
    "Vault",
    "Verdict",
    "Verdicts",
    "World",
]
