"""Where does an account stand in a workspace, and how is it taken out of all of it?"""

from riparian.assembly.world import Given, forget_in_gates, forget_in_grants, forget_known
from riparian.flows import erasing
from riparian.flows.lines import names_of
from riparian.ports import World


def erase_account(given: Given, world: World, code: int, named: str) -> bool:
    """Remove an account from everything that is kept; False when nothing was.

    Whoever calls holds the gates at rest.

    Parameters
    ----------
    world
        Of the workspace.
    code
        Of the account.
    named
        As whoever asks names it: copies may have been issued to it under that name.

    Raises
    ------
    LifecycleError
        When a scan is running, or a gate.
    """
    (name,) = names_of(world, [code])
    # Last of all the workspace, which knows the account: whoever is interrupted asks again.
    found = forget_in_grants(given, [named, name])
    found |= forget_in_gates(given, [code], erasing.recordings(world))
    found |= erasing.erase(world, code)
    return forget_known(given, [code]) or found
