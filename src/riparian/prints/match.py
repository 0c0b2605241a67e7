"""Is this sound one of ours, and how likely is it that we are wrong?

What a search finds is told with the chance that it is a mistake (:mod:`riparian.prints.null`).  That chance is a *fact*
of the evidence.  Its bits are another thing, and poorer: only what recordings of the catalogue vouch for themselves,
``calibrate((1 + mistakes as good) / (1 + recordings drawn))``, less what was searched beyond what they were drawn for.

Claims
------
``COPY``, the stretch is of that recording, and ``SHARES``, the two have something in common.  Two pieces made with the
same loop go together as surely as two copies, so how sure a stretch is cannot tell.  What tells is how much of it goes
together (:func:`is_copy`).

Nothing to tell
---------------
Below ``SHORTEST_S`` nothing is searched.  Where nothing is found, the sound itself says whether anything could be: it
is silent, or has no pitches that come back, as noise and speech have not.

Fails when
----------
A loop fills the file and little else is heard: it is called a copy of whichever recording has it, and the others are
told as rivals.  A copy under loud speech has few peaks in common, and is called shared material.  Two recordings of one
performance, a remaster or an instrumental, may be called either.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from riparian.bets.calibrate import calibrate
from riparian.evidence import COPY, SHARES, Evidence, Row, Source, on_grid
from riparian.prints.clusters import has_passage
from riparian.prints.edges import settled
from riparian.prints.null import SHARE_OURS, Chance, Kind, Null, posterior
from riparian.prints.ours import Ours
from riparian.prints.peaks import TICK_S, Peaks
from riparian.prints.search import Find, backwards, clip, covered_s, search
from riparian.prints.spans import Span

SOURCE: Final = Source("prints.match", "1")
SHORTEST_S: Final = 3.0
ERROR_TOLD: Final = 0.1
"""A find that is likelier to be wrong is not told."""
_SAME_MIN: Final = 0.28
"""How much of a copy goes together at least, in the worst room; of pieces on the same beat and in one key at most."""
_LOOP: Final = 0.75
"""Of the shapes along the line, along another one; of loops in common nearly all."""
_SAME_LOOP_MIN: Final = 0.6
_RIVALS_TOLD: Final = 20
_CLAIMS: Final = {Kind.COPY: COPY, Kind.SHARES: SHARES}

TOO_SHORT: Final = "too short"
SILENCE: Final = "silence"
NOISE: Final = "noise or speech"
NOT_OURS: Final = "not ours"
_PEAKS_MIN: Final = 2.0
"""A second; music has about ten."""
_RETURNING: Final = 1.25
"""Times as often as by chance; actors' speech has 1.1, noise 1.0, and of forty tracks of music all had more."""
_NEIGHBOURS: Final = 40
_SOON_TICKS: Final = (25, 1000)
_SAME_STEPS: Final = 2
_APART_STEPS: Final = (5, 11)


@dataclass(frozen=True, slots=True)
class Answer:
    """A recording of ours that is in the sound, or has something in common with it.

    Parameters
    ----------
    evidence
        ``COPY`` or ``SHARES``; its facts can be written as JSON.
    recording
        The one of its cluster that was aligned.
    cluster
        Its duplicates': which of them it is cannot be told.
    error
        The chance that the claim is wrong.
    spans
        Where; at least one, by time.
    rivals
        Recordings outside the cluster that go together with the same stretches, less well; the best first.
    """

    evidence: Evidence
    recording: int
    cluster: int
    error: float
    spans: tuple[Span, ...]
    rivals: tuple[int, ...]

    @property
    def is_copy(self) -> bool:
        """Whether the claim is ``COPY``."""
        return self.evidence.claim is COPY


@dataclass(frozen=True, slots=True)
class Matched:
    """What is told of a sound.

    Parameters
    ----------
    answers
        The surest first; perhaps none.
    why_nothing
        Why there is none: ``too short``, ``silence``, ``noise or speech``, ``not ours``; empty where there are some.
    seconds, peaks
        Of the sound.
    candidates, aligned
        How many recordings were looked at, and how many of them closely.
    """

    answers: tuple[Answer, ...]
    why_nothing: str
    seconds: float
    peaks: int
    candidates: int
    aligned: int

    @property
    def nothing_to_tell(self) -> bool:
        """Whether the sound is such that nothing could have been found."""
        return self.why_nothing in {TOO_SHORT, SILENCE, NOISE}


def match(query: Peaks, ours: Ours, null: Null, *, subject: int, at_us: int, share_ours: float = SHARE_OURS) -> Matched:
    """Say which recordings of ours are in a sound.

    Parameters
    ----------
    query
        Of any length.
    ours
        The catalogue.
    null
        What its mistakes look like.
    subject
        The code of the file.
    at_us
        When this is asked; microseconds since 1970, UTC.
    share_ours
        Of all files that are asked about, how many are ours and found, as far as anybody can say; in (0, 1).

    Raises
    ------
    ValueError
        When ``share_ours`` is not between 0 and 1.
    """
    if not 0 < share_ours < 1:
        raise ValueError(f"share_ours is {share_ours}, wanted 0 < share_ours < 1")
    if query.seconds < SHORTEST_S:
        return Matched((), TOO_SHORT, query.seconds, len(query), 0, 0)
    found = search(query, ours)
    told = _Told(query, ours, null, found.candidates, subject, at_us, share_ours)
    kept = [i for i, find in enumerate(found.finds) if told.error(find)[1] <= ERROR_TOLD]
    finds = _settled(query, ours, [found.finds[i] for i in kept])
    made = (told.answer(find, found.rivals[i], n) for n, (i, find) in enumerate(zip(kept, finds, strict=True), 1))
    answers = tuple(sorted(made, key=lambda answer: answer.error))
    why = "" if answers else _why_nothing(query)
    return Matched(answers, why, query.seconds, len(query), found.candidates, found.aligned)


def is_copy(span: Span) -> bool:
    """Say whether so much goes together along a stretch that it is the same recording.

    Of two pieces with a loop in common, other instruments are heard beside it on either side; and along a line that is
    a few loops off, they go together as well.
    """
    ours = span.our_hits / max(1, span.our_peaks)
    is_loop = span.elsewhere > 0 and span.elsewhere >= _LOOP * span.votes
    return math.sqrt(span.share * ours) >= (_SAME_LOOP_MIN if is_loop else _SAME_MIN)


def drawn(recording: int, length_s: float, ours: Ours) -> tuple[int, float, float, int, float, float]:
    """Look for a recording of ours among the others: a row of :class:`riparian.prints.null.Draws`.

    Parameters
    ----------
    recording
        Its cluster is left out.
    length_s
        How much of it to look for, from a place that its number says; infinity for all.
    ours
        The catalogue.

    Returns
    -------
    row
        Recording, length, seconds, peaks, the best mistake that passes for a copy and, played backwards, the best of
        all.  A passage that another recording has, too, is no mistake (:func:`riparian.prints.clusters.has_passage`).
    """
    whole = ours.peaks(recording)
    ticks = whole.ticks if math.isinf(length_s) else min(whole.ticks, round(length_s / TICK_S))
    first = round((whole.ticks - ticks) * _spread(recording))
    part = clip(whole, first, first + ticks)
    without = ours.cluster(recording)
    mistakes = (find for find in search(part, ours, without=without).finds if not has_passage(find.spans))
    copies = [find.best.score for find in mistakes if is_copy(find.best)]
    shared = [find.best.score for find in search(backwards(part), ours, without=without).finds]
    return recording, length_s, part.seconds, len(part), max(copies, default=0.0), max(shared, default=0.0)


def _spread(recording: int) -> float:
    # Multiples of the golden ratio are spread evenly, and say nothing about the recording.
    return math.modf(recording * 0.6180339887498949)[0]


@dataclass(frozen=True, slots=True)
class _Told:
    """What every answer is made from."""

    query: Peaks
    ours: Ours
    null: Null
    candidates: int
    subject: int
    at_us: int
    share_ours: float

    def error(self, find: Find) -> tuple[Chance, float]:
        chance = self.null.chance(
            _kind(find),
            find.best.score,
            seconds=self.query.seconds,
            density=len(self.query) / self.query.seconds,
            recordings=self.ours.recordings,
        )
        return chance, posterior(chance.p, self.share_ours)

    def answer(self, find: Find, rivals: tuple[int, ...], n: int) -> Answer:
        chance, error = self.error(find)
        rows = _rows(chance, n)
        bits = sum(row.bits for row in rows)
        facts = self._facts(find, chance, rivals) | {"error": error}
        evidence = Evidence(_CLAIMS[_kind(find)], self.subject, bits, rows, self.at_us, SOURCE, facts)
        return Answer(evidence, find.recording, find.cluster, error, find.spans, rivals)

    def _facts(self, find: Find, chance: Chance, rivals: tuple[int, ...]) -> dict[str, object]:
        lasts_s = self.ours.peaks(find.recording).seconds
        heard_s = covered_s(find.spans, 0.0, self.query.seconds)
        return {
            "recording": find.recording,
            "cluster": find.cluster,
            "chance": chance.p,
            "extrapolated": chance.extrapolated,
            "as_good": chance.as_good,
            "drawn": chance.draws,
            "share_ours": self.share_ours,
            "covered": round(heard_s / self.query.seconds, 4),
            "of_ours": round(min(1.0, _of_ours_s(find.spans) / max(lasts_s, 1e-3)), 4),
            "spans": [_span_facts(span) for span in find.spans],
            "rivals": list(rivals[:_RIVALS_TOLD]),
            "candidates": self.candidates,
        }


def _kind(find: Find) -> Kind:
    return Kind.COPY if is_copy(find.best) else Kind.SHARES


def _settled(query: Peaks, ours: Ours, finds: Sequence[Find]) -> list[Find]:
    """Put the edges of all stretches where they are likeliest together: where one recording ends another begins."""
    spans = [(span, ours.peaks(find.recording)) for find in finds for span in find.spans]
    moved = iter(settled(query, spans))
    return [replace(find, spans=tuple(next(moved) for _ in find.spans)) for find in finds]


def _rows(chance: Chance, n: int) -> tuple[Row, ...]:
    if not chance.draws:
        return (Row("too few recordings to draw from: nothing is bet", 0.0),)
    label = f"{chance.as_good} of {chance.draws} recordings, looked for among the others, gave a mistake as good"
    rows = [Row(label, on_grid(calibrate(chance.rank)))]
    if chance.stretched > 1:
        rows.append(Row("the sound is longer, or there are more recordings, than was drawn", -_paid(chance.stretched)))
    rows.append(Row(f"find {n} in this sound", -_paid(n * (n + 1))))
    return tuple(rows)


def _paid(times: float) -> float:
    return -on_grid(-math.log2(times))


def _of_ours_s(spans: tuple[Span, ...]) -> float:
    total, reached = 0.0, -math.inf
    for begin, end in sorted((span.ours_from_s, span.ours_to_s) for span in spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def _span_facts(span: Span) -> dict[str, float | int]:
    return {
        "from_s": round(span.query_from_s, 3),
        "to_s": round(span.query_to_s, 3),
        "ours_from_s": round(span.ours_from_s, 3),
        "ours_to_s": round(span.ours_to_s, 3),
        "speed": round(span.speed, 5),
        "semitones": round(12 * span.pitch_octaves, 3),
        "peaks": span.peaks,
        "hits": span.hits,
        "same": round(span.share, 4),
    }


def _why_nothing(query: Peaks) -> str:
    if len(query) < _PEAKS_MIN * query.seconds:
        return SILENCE
    return NOT_OURS if _returning(query) else NOISE


def _returning(query: Peaks) -> bool:
    """Say whether pitches come back within seconds, as notes do: more often than pitches a third of a tone away."""
    same = apart = 0
    for lag in range(1, min(_NEIGHBOURS, len(query))):
        ticks = query.at[lag:] - query.at[:-lag]
        steps = np.abs(query.pitch[lag:].astype(np.int32) - query.pitch[:-lag])
        soon = (ticks >= _SOON_TICKS[0]) & (ticks <= _SOON_TICKS[1])
        same += int(((steps <= _SAME_STEPS) & soon).sum())
        apart += int(((steps >= _APART_STEPS[0]) & (steps <= _APART_STEPS[1]) & soon).sum())
    return same / (2 * _SAME_STEPS + 1) > _RETURNING * apart / (2 * (_APART_STEPS[1] - _APART_STEPS[0] + 1))
