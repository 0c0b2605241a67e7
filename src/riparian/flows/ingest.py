"""Can this recording carry a mark, and how strong has it to be?

Each master is tried once before anybody gets a copy of it: it is marked for nobody, written as it will be delivered,
written again as copies leak (``LEAKED``), read back and traced.  Where the mark does not pass for unheard
(:mod:`riparian.audio.quality`) it is made weaker first.  Where what is traced is not enough, it is made stronger, as
long as it passes; where even then it is not, we say so, and no copy is made unless somebody wants it all the same.
What came of it is entered in the ledger, and not tried again.

Of a long recording only the first ``TRIED_S`` are tried: what is enough there is enough for the whole.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa

from riparian.audio.forms import Form, Recorded, Written
from riparian.audio.pcm import Sound
from riparian.audio.quality import Quality, quality
from riparian.flows.deliver import Master, Wanted, like, require_same
from riparian.gate.policy import Policy, trace_bits
from riparian.marks.code import Tier, bits, seeds
from riparian.marks.detect import detect
from riparian.marks.embed import embed
from riparian.marks.grants import Fitted
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, Layout, pattern
from riparian.marks.search import Heard
from riparian.marks.trace import Candidates, trace
from riparian.ports import Studio

CANDIDATES: Final = 1_000_000
"""Among how many a copy has to be traced."""
LEAKED: Final = Written(Form.MP3, bit_rate=64_000)
"""How a copy is written on its way to us, at the best that whoever leaks it does to it."""
STRENGTHS: Final = (0.48, 0.58, 0.69, 0.83, 1.0, 1.2, 1.44, 1.73)
"""What is tried: the usual one, and from there the next ones down or up; the least one whatever it sounds like."""
TRIED_S: Final = 120.0
_SNR_MOST_DB: Final = 300.0
_NOBODY: Final = "\N{REPLACEMENT CHARACTER} tried at ingest"


@dataclass(frozen=True, slots=True)
class Trial:
    """One master, and what is wanted of it."""

    master: Master
    key: MarkKey
    wanted: Wanted
    wanted_bits: float


def fit(
    read: Callable[[Path], Recorded],
    write: Callable[[Recorded, Path, Written], None],
    digest: Callable[[Path], str],
    trial: Trial,
) -> Fitted:
    """Try a master: mark, write, write again, read, trace; weaker while it is heard, stronger while it is not enough.

    Raises
    ------
    InputError
        When the master is no sound, or has changed since it was looked at.
    """
    recorded = read(trial.master.path)
    require_same(trial.master, digest(trial.master.path))
    master = recorded.sound.cut(0.0, TRIED_S)
    written = trial.wanted.of(recorded.written)
    found: Fitted | None = None
    with TemporaryDirectory(prefix="riparian-") as folder:
        for strength, marked, heard in _unheard(master, trial):
            copy = _leaked(like(recorded, marked), written, Path(folder), read, write)
            said = _bits(copy, master, trial, strength)
            snr_db = min(heard.snr_db, _SNR_MOST_DB)
            found = Fitted(trial.master.digest, trial.wanted.name, strength, said, trial.wanted_bits, snr_db)
            if found.carries:
                break
    assert found is not None  # noqa: S101 -- there is always a first one
    return found


def _unheard(master: Sound, trial: Trial) -> Iterator[tuple[float, Sound, Quality]]:
    """Mark a master at the usual strength, or the next below that passes for unheard; then stronger while it does."""
    usual = STRENGTHS.index(1.0)
    for i in range(usual, -1, -1):
        marked = _marked(master, trial, STRENGTHS[i])
        heard = quality(master, marked)
        if heard.passes or i == 0:
            yield STRENGTHS[i], marked, heard
            break
    for strength in STRENGTHS[usual + 1 :] if i == usual and heard.passes else ():
        marked = _marked(master, trial, strength)
        heard = quality(master, marked)
        if not heard.passes:
            return
        yield strength, marked, heard


def _marked(master: Sound, trial: Trial, strength: float) -> Sound:
    layout = Layout.at(master.rate, DIRECT_GROUPS)
    chunks = layout.chunks(master.seconds)
    word = bits(trial.key, trial.master.recording, _NOBODY, layout, chunks, Tier.ONE)
    return embed(master, pattern(trial.key, trial.master.recording, layout, chunks), layout, word, strength=strength)


def _leaked(
    marked: Recorded,
    written: Written,
    folder: Path,
    read: Callable[[Path], Recorded],
    write: Callable[[Recorded, Path, Written], None],
) -> Sound:
    write(marked, folder / "delivered", written)
    delivered = read(folder / "delivered")
    # A form with more channels than MP3 has leaks as two of them.
    two = like(delivered, Sound(np.ascontiguousarray(delivered.sound.samples[:2]), delivered.sound.rate))
    write(two, folder / "leaked", LEAKED)
    return read(folder / "leaked").sound


def _bits(copy: Sound, master: Sound, trial: Trial, strength: float) -> float:
    """Tell what a copy says for whom it was made for, before any price."""
    layout, recording = Layout.at(master.rate, DIRECT_GROUPS), trial.master.recording
    reading = detect(copy, master, trial.key, recording, layout, strength=strength)
    if not reading.segments:
        return 0.0
    one = Candidates(np.ones(1, np.uint64), lambda key: seeds(key, pa.array([_NOBODY])))
    traced = trace([Heard(reading, trial.key, Tier.ONE)], one, needed_bits=1.0, at_us=0)
    return max([0.0, traced.runner_up_bits, *(named.evidence.bits for named in traced.named)])


def ingest(
    studio: Studio, masters: Sequence[Master], wanted: Wanted, policy: Policy
) -> Iterator[tuple[Master, Fitted]]:
    """Give what is known of each master, and try those that were never tried in this form.

    Yields
    ------
    master, fitted
        Those that were tried before first.

    Raises
    ------
    InputError
        When a master is no sound, or changes on the way.
    CustodyError
        When the key is not the one that its epoch had.
    """
    key = studio.keys.current()
    studio.grants.trust(key, studio.clock.now_us())
    left: list[Master] = []
    for master in masters:
        known = studio.grants.fitted(master.digest, wanted.name)
        if known is None:
            left.append(master)
        else:
            yield master, known
    needed = trace_bits(policy, CANDIDATES)
    tries = [Trial(master, key, wanted, needed) for master in left]
    tried = studio.jobs.run(partial(fit, studio.read, studio.write, studio.digest), tries)
    for master, fitted in zip(left, tried, strict=True):
        studio.grants.keep_fitted(fitted, studio.clock.now_us())
        yield master, fitted
