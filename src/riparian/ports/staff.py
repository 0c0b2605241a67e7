"""Who works at the console, and what may they do?

Four roles, each of which may do all that the ones below it may:

* ``viewer`` sees what left and what stands, and no listener;
* ``analyst`` looks at accounts, and lets them go or holds them longer;
* ``approver`` approves what somebody else proposed;
* ``admin`` says who works here, and as what.
"""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What somebody may do; a higher one may all that a lower one may."""

    VIEWER = 1
    ANALYST = 2
    APPROVER = 3
    ADMIN = 4

    @property
    def title(self) -> str:
        """How it is written."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here.

    Parameters
    ----------
    name
        As it stands beside what they decide.
    role
        What they may do.
    """

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Sitting:
    """Somebody who is signed in.

    Parameters
    ----------
    person
        Who.
    form_token
        What each form of theirs carries, and nobody else's can.
    """

    person: Person
    form_token: str
