"""Which account, which ring does somebody mean by what they wrote?"""

from riparian.codes import code_of_label
from riparian.console import words
from riparian.errors import InputError
from riparian.flows.rings import code_of_ring
from riparian.ports import World


def ring_code(ring: str) -> int:
    """Read a ring's name.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        return code_of_ring(ring)
    except ValueError:
        raise InputError(
            f"`{words.visible(ring)}` is no name of a ring, wanted one as in g-s3baqygnsores",
            hint="List the rings with riparian rings.",
        ) from None


def code_of(world: World, account: str) -> int:
    """Find an account by its identifier or its pseudonym.

    Raises
    ------
    InputError
        When it is neither.
    """
    code = world.vault.code_of(account)
    if code is not None:
        return code
    try:
        return code_of_label(account)
    except ValueError:
        raise InputError(
            f"`{words.visible(account)}` is no account that a scan has seen, wanted an identifier from the logs"
            " or a pseudonym",
            hint="List the accounts that stand out with riparian accounts.",
        ) from None
