"""On what, besides the accesses, do the results of a scan depend?"""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from riparian.accounts import people as people_
from riparian.accounts.people import People
from riparian.catalogue.cells import Cells
from riparian.catalogue.popularity import Popularity
from riparian.flows.known import Known
from riparian.flows.signals import Signals
from riparian.gate.policy import Policy

_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator states: tolerances, kinds of people, the catalogue, and what is known of accounts.

    Parameters
    ----------
    cells
        Works of the catalogue, as rings are looked for among them; empty without artists and popularity.
    signals
        What the platform draws by lot; None when it draws nothing.
    """

    policy: Policy
    people: People
    popularity: Popularity = field(default_factory=Popularity.empty)
    known: Known = field(default_factory=Known)
    cells: Cells = field(default_factory=Cells.empty)
    signals: Signals | None = None

    def streams_of(self, accounts: npt.NDArray[np.uint64]) -> npt.NDArray[np.float32]:
        """Tell how many streams plans play at once: as the accounts table says, else as the policy does."""
        told = self.known.find(accounts).streams
        return np.where(told > 0, told, self.policy.streams_per_plan).astype(np.float32)

    def digest(self) -> bytes:
        """Digest of it all: drafts made on other terms are thrown away."""
        made = hashlib.blake2b(digest_size=16)
        for text in (_VERSION, people_.VERSION, self.people.version, repr(self.policy)):
            made.update(text.encode() + b"\0")
        for law in (self.people.curve, *self.people.laws):
            made.update(law.tobytes())
        for column in (self.popularity.codes, self.popularity.rank, self.popularity.artist, self.popularity.place):
            made.update(column.tobytes())
        for column in (self.cells.codes, self.cells.works, self.cells.cell):
            made.update(column.tobytes())
        if self.signals is not None:
            shown = self.signals.shown
            made.update(repr((shown.refused_share, self.signals.declared)).encode())
            for column in (shown.listings.codes, shown.listings.block, shown.canaries):
                made.update(column.tobytes())
        made.update(self.known.digest())
        return made.digest()
