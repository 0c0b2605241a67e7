"""Fuzz what sites show to machines, and chains of terms: every form, from its first byte to what it says.

Run with ``python fuzz/reservations.py [CORPUS] [-max_total_time=60]``.
"""

import json
import sys

import atheris

with atheris.instrument_imports(include=["riparian.catalogue"]):
    from riparian.catalogue.chain import verified
    from riparian.catalogue.channels.cawg import Told, Trust
    from riparian.catalogue.channels.compare import Site, check
    from riparian.catalogue.channels.pages import headers_of
    from riparian.errors import CustodyError

ADDRESS = "https://music.example/license.xml"
NAMED = f"License: {ADDRESS}\n".encode()


def one(data: bytes) -> None:
    """Take one input for every file of a site at once; whatever it is, what comes is told, and a chain is refused."""
    try:
        assertion = json.loads(data)
    except (ValueError, RecursionError):
        assertion = None
    site = Site(
        robots=NAMED + data,
        aitxt=data,
        tdmrep=data,
        documents={ADDRESS: data},
        headers=headers_of(data, "_headers", []),
        pages={"/": data},
        sealed={"/a.mp3": Told(Trust.TRUSTED, assertion)},
    )
    found = check(site)
    if any(not each.permits.deeds & each.reserves.deeds for each in found.contradictions):
        raise AssertionError(found)
    try:
        chain = verified(data)
    except CustodyError:
        return
    if data:
        raise AssertionError(chain)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
