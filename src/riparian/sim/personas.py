"""Kinds of listener, in which shares, and why each is in the town.

The shares are declarations, not measurements: 85 people hold no café.  They are set so that a town of
10,000 has some of each heavy kind, which is harder on a null than most real services would be.

The law that ordinary people follow was fitted on 1.8 million plays of 85 people over a year: how much is
new on a day is beta-binomial, its mean falls with the plays so far, and people differ by a constant.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

NOVELTY_BASE: Final = np.array([0.786, 0.612, 0.523, 0.453, 0.365, 0.309, 0.248, 0.208, 0.177, 0.156, 0.146, 0.134])
"""Median novel share by ``floor(log2(plays so far + 32)) - 5``, from 0 to 11 plays-doublings."""
NOVELTY_PHI: Final = 3.58
"""Sum of the two parameters of the daily beta distribution: days burst."""
DELTA_SD: Final = 0.51
"""People differ by a Gaussian constant on the logit of novelty."""
KEEN_DELTA: Final = -0.30
"""Correlation of that constant with log volume: who plays more finds less that is new.  With none, the 95 % point of
novel recordings a day would be 28; measured were a median of 9.5, a 95 % point of 20 and a largest of 39.6, of 85."""
PLAYS_MEDIAN: Final = 45.6
PLAYS_SIGMA: Final = 0.651
"""A person's mean plays a day is lognormal; sigma is ln(133/45.6)/1.645."""
PLAYS_MAX: Final = 320.0
"""Largest mean of one ordinary person; the largest of 85 was 268."""
ACTIVE_CV: Final = 0.844
ACTIVE_CV_SIGMA: Final = 0.30
"""Variation of volume over active days, lognormal over people: all days then have a median CV of .95."""
ZERO_LOGIT: Final = -2.376
ZERO_LOGIT_SIGMA: Final = 0.9
"""Chance of a day off, lognormal odds over people; with light days that hold no play by chance, 10 % of days are
empty in the median."""
DAY_PLAYS_MAX: Final = 1_200
"""Nobody plays more in a day; the busiest of 31,000 person-days held 1,108."""
WEEK: Final = np.array([0.96, 0.95, 0.97, 1.0, 1.12, 1.05, 0.95])
"""Weekly rhythm of volume, Monday first."""
FAMILY_OVERLAP: Final = 0.10
"""Share of one member's new recordings that the others of the account have already played."""
NEW_SHARE: Final = 0.08
"""Share of listeners whose account is made during the period."""
CHART_DAY_CHANCE: Final = 0.01
"""Chance that a person spends a day's new plays on a chart, front to back."""
WALK_NONE, WALK_CHARTS, WALK_ALBUMS = 0, 1, 2
"""How somebody plays in order: not at all, charts, or albums front to back."""
DIFFERENT_ARTIST: Final = (0.66, 0.98, 0.13)
"""Chance by walk that two consecutive new recordings are by different artists; measured on the events."""
ASCENT: Final = (0.485, 0.95, 0.50)
"""Share by walk of those steps that lead to a less popular recording; measured on the events."""


@dataclass(frozen=True, slots=True)
class Persona:
    """One kind of listener.

    Parameters
    ----------
    name, share, why
        What it is called, its share of accounts (the ordinary take what is left), why it is there.
    plays, plays_sigma
        Median over people of the mean plays a day, and the sigma of its lognormal law.
    delta, delta_sd
        Constant on the logit of novelty.
    cv
        Variation of volume over active days; 0 means the ordinary law.
    zero
        Chance of a day without a play; negative means the ordinary law.
    phi
        Burstiness of novelty.
    people
        Fewest and most people on one account.
    rows
        Mean metadata rows a day beyond ordinary browsing.
    streams
        Streams that the plan allows at once.
    """

    name: str
    share: float
    why: str
    plays: float = PLAYS_MEDIAN
    plays_sigma: float = PLAYS_SIGMA
    delta: float = 0.0
    delta_sd: float = DELTA_SD
    cv: float = 0.0
    zero: float = -1.0
    phi: float = NOVELTY_PHI
    people: tuple[int, int] = (1, 1)
    rows: float = 0.0
    streams: int = 1


PERSONAS: Final = (
    Persona("ordinary", 0.0, "one person as measured; takes the share that is left"),
    Persona("family", 0.10, "two to five people on one login merge volume and novelty", people=(2, 5), streams=5),
    Persona("child", 0.03, "few recordings, played over and over", plays=25.0, delta=-1.6, delta_sd=0.4),
    Persona("sleep", 0.02, "180 plays every night from a few recordings", plays=180.0, plays_sigma=0.15,
            delta=-4.0, delta_sd=0.5, cv=0.12, zero=0.08),
    Persona("explorer", 3e-3, "novelty four standard deviations up; one in some hundreds says so of themselves",
            plays=80.0, plays_sigma=0.4, delta=2.0, delta_sd=0.3),
    Persona("completist", 5e-3, "plays charts or albums front to back, so goes in order as a copier does",
            plays=60.0, plays_sigma=0.4, delta=1.0, delta_sd=0.4),
    Persona("importer", 4e-3, "a new account that brings a library of hundreds to thousands with it"),
    Persona("cafe", 1e-3, "250 plays a day, every day much the same, in opening hours", plays=250.0,
            plays_sigma=0.15, delta=-0.3, delta_sd=0.4, cv=0.12, zero=0.03, streams=1),
    Persona("shop-radio", 5e-4, "400 plays a day on two floors, as regular as a machine", plays=400.0,
            plays_sigma=0.10, delta=-1.0, delta_sd=0.4, cv=0.06, zero=0.02, streams=3),
    Persona("dj", 1e-3, "looks for new material as a profession", plays=120.0, plays_sigma=0.3, delta=3.0,
            delta_sd=0.3),
    Persona("digger", 5e-4, "95 % new, 150 a day: the nearest that a person comes to a copier", plays=150.0,
            plays_sigma=0.2, delta=3.5, delta_sd=0.2),
    Persona("widget", 2e-4, "an honest programme that looks up titles and covers and plays nothing", plays=0.0,
            plays_sigma=0.0, zero=0.0, rows=800.0),
    Persona("night-shop", 0.0, "only in some worlds: machine-regular with a fresh programme", plays=320.0,
            plays_sigma=0.12, delta=2.0, delta_sd=0.3, cv=0.08, zero=0.01, streams=3),
)  # fmt: skip
PERSONA_NAMES: Final = tuple(p.name for p in PERSONAS)


def draw_personas(
    rng: np.random.Generator, listeners: int, shares: dict[str, float] | None = None
) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Draw the persona of each listener as an index into :data:`PERSONAS`.

    Parameters
    ----------
    shares
        Shares that differ from the table's, by name.

    Examples
    --------
    >>> drawn = draw_personas(np.random.default_rng(1), 10_000)
    >>> bool((drawn == PERSONA_NAMES.index("family")).mean() > 0.08)
    True
    """
    table = {p.name: p.share for p in PERSONAS} | (shares or {})
    table["ordinary"] = 0.0
    edges = np.cumsum([table[name] for name in PERSONA_NAMES])
    drawn = np.searchsorted(edges, rng.random(listeners), side="right").astype(np.int8)
    drawn[drawn == len(PERSONAS)] = PERSONA_NAMES.index("ordinary")
    return drawn
