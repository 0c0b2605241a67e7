"""To whom was anything issued, for whoever reads a pseudonym?"""

import contextlib

import pyarrow as pa

from riparian.assembly.world import Given, opened
from riparian.codes import codes_of, label
from riparian.stores.grants import NAME as GRANTS
from riparian.stores.grants import SqlGrants


def has_issued(given: Given) -> bool:
    """Say whether there is a ledger of what was issued."""
    return (given.workspace / GRANTS).exists()


def names_issued(given: Given, recording: str) -> dict[str, str]:
    """Give pseudonyms of accounts to whom copies of a recording were issued, and their names; not of who was erased."""
    if not has_issued(given):
        return {}
    with opened(given) as world, contextlib.closing(SqlGrants(given.workspace)) as grants:
        names = sorted({name for version, _ in grants.versions(recording) for name in grants.accounts(version)})
        codes = codes_of(pa.array(names, pa.string()), world.vault.key)
    return {label(int(code)): name for code, name in zip(codes, names, strict=True)}


__all__ = ["has_issued", "names_issued"]
