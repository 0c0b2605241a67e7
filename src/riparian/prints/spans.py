"""Which stretch of the query is which stretch of ours?

Conventions
-----------
* Times are in seconds, each on its own side's clock.
* ``score`` is how many decades the hits of a stretch are above chance; what a score is worth is learned from candidates
  that are wrong (:mod:`riparian.prints.null`), never read off it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the query that runs along a stretch of ours, in one line.

    Parameters
    ----------
    query_from_s, query_to_s
        Where it is in the query.
    ours_from_s, ours_to_s
        Where it is in ours; before its beginning or after its end by no more than the line's own error.
    speed
        Seconds of ours in a second of the query: 1.04 is played 4 % faster.
    pitch_octaves
        How much higher the query is.
    peaks, hits
        Peaks of the query in the stretch, and how many of them ours has there too.
    expected
        How many it would have at other places of ours, on average.
    score
        Negative decimal logarithm of the chance of so many hits, where each is as likely as at other places.
    our_peaks, our_hits
        The same, seen from ours: how much of what we have there is heard in the query.
    votes
        Shapes of four peaks that are in both, along this line within the stretch.
    elsewhere
        As many, along the best other line of the same speed and pitch through the same stretch: near ``votes`` where
        ours repeats itself, as loops do.
    """

    query_from_s: float
    query_to_s: float
    ours_from_s: float
    ours_to_s: float
    speed: float
    pitch_octaves: float
    peaks: int
    hits: int
    expected: float
    score: float
    our_peaks: int
    our_hits: int
    votes: int
    elsewhere: int

    @property
    def seconds(self) -> float:
        """How long it is in the query."""
        return self.query_to_s - self.query_from_s

    @property
    def share(self) -> float:
        """The share of the query's peaks that ours has, chance taken off; 0 to 1."""
        if not self.peaks:
            return 0.0
        chance = min(self.expected / self.peaks, 0.99)
        return max(0.0, (self.hits / self.peaks - chance) / (1 - chance))
