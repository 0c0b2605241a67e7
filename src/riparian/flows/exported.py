"""What is kept of one account, to be given to whom it is about?

What stands in arrays beside everybody else's is read back as far as the account alone is concerned: which recordings of
the catalogue it had.  What cannot be, or is kept elsewhere, is said.
"""

from typing import Any, Final

import numpy as np

from riparian.accounts.tally import account_mask
from riparian.codes import RECORDING_KEY, bucket_of, codes_of, label
from riparian.flows.explained import account_told
from riparian.flows.extraction import about
from riparian.flows.lines import names_of, written
from riparian.flows.recorded import recorded
from riparian.flows.terms import Terms
from riparian.ports import World
from riparian.schema import DAY_US

ELSEWHERE: Final = (
    "when it had each recording, and from where: your logs have it, and no code of it is kept here",
    "recordings that no catalogue names: they are kept as codes that nobody can read back",
    "copies that were issued to it: the ledger of grants, which riparian trace reads",
    "who was shown it on pages: the page Looks, under its pseudonym",
    "what gates count for it now, in their memory",
)
"""What is not in an export, and where it is."""
_COLUMNS: Final = ("day", "bits", "plays", "novel")


def exported(world: World, terms: Terms, account: int, *, recompute: str) -> dict[str, Any]:
    """Tell all that is kept of an account; kind ``account_data``.

    Raises
    ------
    InputError
        When no scan has seen it.
    """
    found = about(world, terms, account)
    (name,) = names_of(world, [account])
    return {
        "kind": "account_data",
        "account": name,
        "pseudonym": label(account),
        "at": written(world.clock.now_us()),
        "explanation": account_told(name, found, recompute=recompute),
        "timeline": [
            {**row, "day": written(row["day"] * DAY_US)[:10]} for row in found.timeline.select(_COLUMNS).to_pylist()
        ],
        "decisions": list(recorded(world, named=True, account=account)),
        "recordings": recordings_of(world, account),
        "elsewhere": list(ELSEWHERE),
        "recompute": recompute,
    }


def recordings_of(world: World, account: int) -> list[str] | None:
    """List the recordings of the catalogue that an account had, by name; None where there is no catalogue."""
    catalogue = world.catalogue.recordings()
    if catalogue is None:
        return None
    code = np.array([account], np.uint64)
    arrays = world.tallies.load(int(bucket_of(code)[0])) or {}
    if "seen" not in arrays:
        return []
    had = np.isin(codes_of(catalogue["recording"], RECORDING_KEY), arrays["seen"] ^ account_mask(code)[0])
    return sorted(str(name) for name in catalogue["recording"].filter(had).to_pylist())
