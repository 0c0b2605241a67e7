"""From a copy that was found to whom it was issued: sighting -> reading -> traced.

::

    copies --read--> sound --detect, against every way a master was marked--> readings
                                                  |  (the one whose pilot is heard best)
    one trace of all recordings together <--------+--> evidence, on the candidates alone to whom these were issued

Which master and which epoch a copy is compared with is chosen by its pilot, which is the same in every copy, and how
many were tried is paid for.  Of several copies of one recording each is traced by itself, those of different recordings
together: what leaked as one library leaked from few accounts.

Rules
-----
* A master that is not the file that was marked is refused, and the digests of both are told.
* Every call is entered in the ledger before anything is said: of which recording, how many copies, and what was tried.
* A year's copies are bounded by the policy, since the bound on mistakes is shared among them; a day's, so that answers
  cannot be used to learn how a mark is hidden.
* Of what an edge put together there are no grants: whoever may have streamed it is a candidate, and told by the caller
  before anything is read.
* What is said is to whom a copy was *issued*.  Nobody is restrained for it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Final

import pyarrow as pa

from riparian.audio.forms import Recorded
from riparian.codes import codes_of
from riparian.errors import CustodyError, InputError, LifecycleError
from riparian.flows.deliver import Master, require_same
from riparian.flows.extraction import Progress, silent
from riparian.flows.recognising import NOTHING_KNOWN, Recognised
from riparian.gate.policy import Policy, trace_bits
from riparian.marks import detect
from riparian.marks.align import Master as Held
from riparian.marks.code import SEED_BITS, seeds
from riparian.marks.grants import Version
from riparian.marks.keys import MarkKey
from riparian.marks.reading import Reading
from riparian.marks.search import Heard
from riparian.marks.trace import Candidates, Named, Traced, Tried, trace
from riparian.ports import Studio
from riparian.schema import DAY_US

YEAR_US: Final = 365 * DAY_US
_LEAKERS: Final = 64
"""As many accounts with a part may have the seed of somebody without; no channel is of more."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is traced, and what is known of it.

    Parameters
    ----------
    copies
        Files that were found.
    recording
        What they are copies of, where that is known.
    masters
        Files to compare with, by their digests, in the place of those that the ledger names.
    streamed
        Ways in which masters were marked for edges (:mod:`riparian.flows.variants`), of which the ledger holds nothing;
        the masters have to be among ``masters``.
    listeners
        Accounts that may have streamed them.
    """

    copies: tuple[Path, ...]
    recording: str | None = None
    masters: tuple[Path, ...] = ()
    streamed: tuple[Version, ...] = ()
    listeners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One copy beside the master that it was compared with; ``reading`` is None where it lies in none."""

    path: Path
    reading: Reading | None
    version: Version | None = None
    failed: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Copies of different recordings that were traced together, and to whom; None where nobody is left to name."""

    reads: tuple[Read, ...]
    candidates: tuple[str, ...]
    traced: Traced | None

    def error_bound(self, named: Named) -> float:
        """Bound the chance that anybody who had no part in these copies reaches as many bits.

        No bits make it smaller than the chance that a candidate's seed is also that of one of ``_LEAKERS``.
        """
        each = 2.0**-named.evidence.bits + _LEAKERS * 2.0**-SEED_BITS
        return float(min(1.0, len(self.candidates) * each))


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """What came of a sighting.

    Parameters
    ----------
    reads
        One a copy, in their order.
    together
        What was traced; none where no copy lies in any master.
    tried
        What was paid for.
    missing
        Masters that the ledger names and that could not be read, with the reason.
    """

    reads: tuple[Read, ...]
    together: tuple[Together, ...]
    tried: Tried
    missing: tuple[str, ...] = field(default=())

    @property
    def named(self) -> int:
        """How many accounts were named."""
        return sum(len(one.traced.named) for one in self.together if one.traced is not None)


@dataclass(frozen=True, slots=True)
class Against:
    """One copy, and everything that it is to be compared with."""

    copy: Path
    masters: tuple[tuple[Master, tuple[tuple[Version, MarkKey], ...]], ...]


def compare(read: Callable[[Path], Recorded], read_found: Callable[[Path], Recorded], against: Against) -> Read:
    """Read a copy against masters, and keep what its pilot is heard best in; nobody's word takes part."""
    try:
        copy = read_found(against.copy).sound
    except InputError as error:
        return Read(against.copy, None, failed=error.message)
    best = Read(against.copy, None)
    for master, versions in against.masters:
        held = Held(read(master.path).sound)
        # Where a copy lies has nothing to do with a key: it is looked for once a layout, and read once a version.
        compared = {layout: detect.compare(copy, held, layout) for layout in {of.layout for of, _ in versions}}
        for of, key in versions:
            reading = detect.read(compared[of.layout], held, key, of.recording, of.layout, strength=of.strength)
            is_better = best.reading is None or reading.pilot_z > best.reading.pilot_z
            if reading.segments and is_better:
                best = Read(against.copy, reading, of)
    return best


Recognise = Callable[[Sequence[Path], Collection[str]], Recognised]
"""Says of copies, and of the SHA-256 of masters, which may come from which."""


def trace_leak(
    studio: Studio,
    sighting: Sighting,
    policy: Policy,
    progress: Progress = silent,
    recognise: Recognise = lambda _copies, _masters: NOTHING_KNOWN,
) -> Leak:
    """Say to whom copies were issued.

    Parameters
    ----------
    studio
        Keys, ledger, and whatever reads sound.
    sighting
        What was found.
    policy
        How many mistakes are tolerated among how many copies.
    progress
        Told the stage ``reading copies``.
    recognise
        Where there are prints, says which masters each copy is compared with; all, where nothing is known.

    Raises
    ------
    InputError
        When nothing of the recording was ever issued, or a master has changed.
    LifecycleError
        When more copies were traced than the policy allows.
    CustodyError
        When a key is missing, or not the one that its epoch had.
    """
    now_us = studio.clock.now_us()
    _require_allowance(studio, policy, len(sighting.copies), now_us)
    masters, missing = _masters(studio, sighting, now_us)
    tried = _tried(masters)
    # Entered before anything is known: whoever is interrupted has asked all the same.
    about = {"epochs": tried.epochs, "masters": tried.masters, "recording": sighting.recording or ""}
    studio.grants.keep_trace(now_us, len(sighting.copies), about)
    # Whoever asks at the same moment was not seen before either of us was entered.
    _require_allowance(studio, policy, 0, now_us)
    known = recognise(sighting.copies, [master.digest for master, _ in masters]) if len(masters) > 1 else NOTHING_KNOWN
    tasks = [_against(copy, masters, known) for copy in sighting.copies]
    reads: tuple[Read, ...] = ()
    progress("reading copies", 0, len(tasks))
    for one in studio.jobs.run(partial(compare, studio.read, studio.read_found), tasks):
        reads = (*reads, one)
        progress("reading copies", len(reads), len(tasks))
    together = tuple(
        _traced(studio, _names(studio, sighting, batch), batch, tried, policy) for batch in _batches(reads)
    )
    return Leak(reads, together, tried, missing)


def _against(
    copy: Path, masters: tuple[tuple[Master, tuple[tuple[Version, MarkKey], ...]], ...], known: Recognised
) -> Against:
    return Against(copy, tuple(one for one in masters if known.may_be(copy, one[0].digest)))


def _require_allowance(studio: Studio, policy: Policy, n: int, now_us: int) -> None:
    for since_us, most, when in (
        (now_us - DAY_US, policy.copies_traced_per_day, "24 hours"),
        (now_us - YEAR_US, policy.copies_traced_per_year, "365 days"),
    ):
        before = studio.grants.traced_since(since_us)
        if before + n > most:
            raise LifecycleError(
                f"{before} copies were traced in the last {when}, and {n} more would be beyond {most}, wanted no more",
                hint="Wait, or raise copies_traced_per_day or copies_traced_per_year in policy.toml: the more copies,"
                " the more bits each wants.",
            )


def _masters(
    studio: Studio, sighting: Sighting, now_us: int
) -> tuple[tuple[tuple[Master, tuple[tuple[Version, MarkKey], ...]], ...], tuple[str, ...]]:
    """Find the file of each master that was marked, with every way in which it was."""
    streamed = [(one, "") for one in sighting.streamed if sighting.recording in {None, one.recording}]
    issued = [*studio.grants.versions(sighting.recording), *streamed]
    if not issued:
        what = f"`{sighting.recording}`" if sighting.recording else "anything"
        raise InputError(
            f"no copy of {what} was ever issued from this workspace, wanted one",
            hint="Name the workspace with --workspace, or the recording as `riparian mark` named it.",
        )
    keys = {key.epoch: key for key in studio.keys.all()}
    given = {studio.digest(path): path for path in sighting.masters}
    by_master: dict[tuple[str, str], list[tuple[Version, MarkKey]]] = {}
    places: dict[tuple[str, str], Path] = {}
    for version, path in issued:
        of = version.recording, version.master
        key = _key(studio, keys, version.epoch, now_us)
        by_master.setdefault(of, []).append((version, key))
        # Of renditions for edges nobody wrote down where the master is; the ledger may know.
        if path or of not in places:
            places[of] = given.get(version.master, Path(path))
    found, missing = [], []
    for (recording, digest), versions in by_master.items():
        master = Master(places[recording, digest], recording, digest)
        why = _why_not(studio, master, given)
        if why:
            missing.append(why)
        else:
            found.append((master, tuple(versions)))
    if not found:
        raise InputError(missing[0], hint="Name the file that was marked with --master.")
    return tuple(found), tuple(missing)


def _key(studio: Studio, keys: dict[int, MarkKey], epoch: int, now_us: int) -> MarkKey:
    if epoch not in keys:
        raise CustodyError(
            f"the key of epoch {epoch} is missing, wanted every key that ever marked",
            hint="Restore marks.json from a backup.",
        )
    studio.grants.trust(keys[epoch], now_us)
    return keys[epoch]


def _why_not(studio: Studio, master: Master, given: dict[str, Path]) -> str:
    if given and master.digest not in given:
        wrong = ", ".join(f"`{path}` with SHA-256 {digest}" for digest, path in given.items())
        return f"the master of `{master.recording}` has SHA-256 {master.digest}, and {wrong} is given, wanted that file"
    if not master.path.name:
        return f"it was not said where the master of `{master.recording}` is, wanted it, with SHA-256 {master.digest}"
    if not master.path.exists():
        gone = f"the master of `{master.recording}` is not at `{master.path}` any more"
        return f"{gone}, wanted it, with SHA-256 {master.digest}"
    try:
        require_same(master, studio.digest(master.path))
    except InputError as error:
        return error.message
    return ""


def _tried(masters: Sequence[tuple[Master, Sequence[tuple[Version, MarkKey]]]]) -> Tried:
    """Count what each copy is compared with: every way of marking a master counts as an epoch."""
    return Tried(epochs=max(len(versions) for _, versions in masters), masters=len(masters))


def _batches(reads: Sequence[Read]) -> list[tuple[Read, ...]]:
    """Put copies of different recordings together, and each further copy of one recording into a batch of its own."""
    batches: list[dict[str, Read]] = []
    for one in reads:
        if one.reading is None:
            continue
        recording = one.reading.recording
        room = next((batch for batch in batches if recording not in batch), None)
        if room is None:
            room = {}
            batches.append(room)
        room[recording] = one
    return [tuple(batch.values()) for batch in batches]


def _names(studio: Studio, sighting: Sighting, reads: tuple[Read, ...]) -> tuple[str, ...]:
    """List whom these may have been issued to."""
    names: dict[str, None] = {}
    for one in reads:
        assert one.version is not None  # noqa: S101 -- of what was read batches are made
        is_streamed = one.version in sighting.streamed
        names |= dict.fromkeys(sighting.listeners if is_streamed else studio.grants.accounts(one.version))
    return tuple(names)


def _traced(studio: Studio, names: tuple[str, ...], reads: tuple[Read, ...], tried: Tried, policy: Policy) -> Together:
    keys = {key.epoch: key for key in studio.keys.all()}
    heard = []
    for one in reads:
        assert one.reading is not None  # noqa: S101 -- of these alone batches are made
        assert one.version is not None  # noqa: S101 -- as above
        heard.append(Heard(one.reading, keys[one.reading.epoch], one.version.tier))
    if not names:
        return Together(reads, (), None)
    accounts = pa.array(names, pa.string())
    candidates = Candidates(codes_of(accounts, studio.pseudonyms), cache(lambda key: seeds(key, accounts)))
    needed, now_us = trace_bits(policy, len(names)), studio.clock.now_us()
    return Together(reads, names, trace(heard, candidates, needed_bits=needed, at_us=now_us, tried=tried))
