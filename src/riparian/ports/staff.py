"""Who works at the console, and what may they do?

Four roles, each of which may do all that the ones below it may:

* ``viewer`` sees what left and what stands, and no listener;
* ``analyst`` looks at accounts, and lets them go or holds them longer;
* ``approver`` approves what somebody else proposed;
* ``admin`` says who works here, and as what.

Rules
-----
* A link lets one person in, once, and not for long; of it, and of whoever is signed in, a digest is kept.
* Somebody who is signed in is signed out when they do nothing for an hour, and after twelve in any case.
* What gives somebody a way in, or takes something away for ever, wants that whoever does it signed in lately.
* The last admin stays one: nobody could make another.
* Every look at an account is written down, each after the one before it: none can be changed or left out unseen.
* A token stands for whoever made it, and may never more than they may now; it ends by itself, and with them.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

from riparian.schema import DAY_US, HOUR_US

LINK_US: Final = HOUR_US // 4
WAY_US: Final = HOUR_US // 12
IDLE_US: Final = HOUR_US
LONGEST_US: Final = 12 * HOUR_US
FRESH_US: Final = HOUR_US // 2
TOKEN_DAYS_MAX: Final = 366
TOKEN_US_MAX: Final = TOKEN_DAYS_MAX * DAY_US
TOKENS_MAX: Final = 20
"""Of one person, at a time."""


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
class Token:
    """What lets a program in.

    Parameters
    ----------
    ident
        As it is named where it is listed; it lets nobody in.
    name
        What it is for, in the words of whoever made it.
    person
        Who made it, with what it may do: no more than they may, and no more than was said then.
    acts
        Whether it may do what people do on pages, or only read them.
    since_us, until_us, seen_us
        When it was made, when it ends, and when it was last used; 0 for never.
    """

    ident: str
    name: str
    person: Person
    acts: bool
    since_us: int
    until_us: int
    seen_us: int = 0


@dataclass(frozen=True, slots=True)
class Sitting:
    """Somebody who is signed in, or a program in their name.

    Parameters
    ----------
    person
        Who.
    form_token
        What each form of theirs carries, and nobody else's can; a program has none.
    token
        By which a program asks; None for a person at a browser.
    ident
        As it is named where it is listed; it lets nobody in.
    is_fresh
        Whether they signed in lately.
    """

    person: Person
    form_token: str
    token: Token | None = None
    ident: str = ""
    is_fresh: bool = True


@dataclass(frozen=True, slots=True)
class Seat:
    """Somewhere that somebody is signed in.

    Parameters
    ----------
    ident
        As it is named where it is listed; it lets nobody in.
    since_us, seen_us
        When they signed in, and when they last asked for anything.
    """

    ident: str
    since_us: int
    seen_us: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works here, as an admin sees them.

    Parameters
    ----------
    person
        Who.
    since_us, seen_us
        When they were let in, and when they last asked for anything; 0 for never.
    passkeys
        How many they have.
    subject
        As whom the issuer of OpenID Connect knows them; empty where it does not.
    """

    person: Person
    since_us: int
    seen_us: int
    passkeys: int
    subject: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """What proves that somebody is who they were.

    Parameters
    ----------
    ident
        As the authenticator names it.
    person
        Whose.
    handle
        What stands for the person in the authenticator.
    public
        The public key, as COSE has it.
    uses
        How often it signed, where it counts.
    """

    ident: bytes
    person: str
    handle: bytes
    public: bytes
    uses: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link is good for; it has no name where whoever uses it chooses one."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Way:
    """Somebody on the way in: what they were asked, and by which link they came.

    Parameters
    ----------
    challenge
        What has to come back, signed or as it was.
    name
        What they chose to be called.
    link
        Empty for whoever was let in before.
    more
        What else has to be known when they come back.
    """

    challenge: bytes
    name: str = ""
    link: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """That somebody was shown accounts.

    Parameters
    ----------
    number
        Of all looks, from 1.
    link
        Digest of this look and of the link before it.
    token
        By which token a program was shown them in the person's name; empty where they were themselves.
    """

    number: int
    at_us: int
    person: str
    page: str
    accounts: tuple[str, ...]
    link: bytes
    token: str = ""


class Staff(Protocol):
    """Who works here, who is signed in, and who looked at whom."""

    def members(self) -> Sequence[Member]:
        """List everybody, by name."""
        ...

    def invite(self, invitation: Invitation, now_us: int) -> str:
        """Make a link; what is told is told once.  ``InputError`` for a name that nobody can read."""
        ...

    def invitation(self, link: str, now_us: int) -> Invitation | None:
        """Say what a link is good for; None where it was used, is over or never was."""
        ...

    def enter(self, link: str, name: str, passkey: Passkey | str, now_us: int) -> Person:
        """Let somebody in by a link, which is used up, with a passkey or as an issuer's subject.

        Wherever they were signed in before, they are signed out.

        Raises
        ------
        LifecycleError
            When the link is good for nothing any more, or the name is somebody else's.
        """
        ...

    def change(self, name: str, role: Role) -> None:
        """Give somebody another role, and sign them out; ``LifecycleError`` for the last admin."""
        ...

    def remove(self, name: str) -> None:
        """Let somebody in no more; ``LifecycleError`` for the last admin."""
        ...

    def passkey(self, ident: bytes) -> Passkey | None:
        """Find a passkey."""
        ...

    def passkeys_of(self, name: str) -> Sequence[Passkey]:
        """List somebody's."""
        ...

    def used(self, ident: bytes, uses: int) -> None:
        """Take note of how often a passkey has signed."""
        ...

    def person_of(self, subject: str) -> Person | None:
        """Find whom an issuer means."""
        ...

    def set_out(self, way: Way, now_us: int) -> str:
        """Keep what somebody on the way in was asked; a token that only they have."""
        ...

    def arrive(self, token: str, now_us: int) -> Way | None:
        """Take back what they were asked: once, and within minutes."""
        ...

    def sign_in(self, name: str, now_us: int) -> str:
        """Begin a sitting; a token that only they have."""
        ...

    def sitting(self, token: str, now_us: int) -> Sitting | None:
        """Say who is signed in by a token."""
        ...

    def sign_out(self, token: str) -> None:
        """End a sitting."""
        ...

    def seats(self, person: str, now_us: int) -> Sequence[Seat]:
        """List where somebody is signed in, by when they began."""
        ...

    def leave(self, person: str, *, seat: str = "", but: str = "") -> None:
        """Sign somebody out: at one seat, or at all but one; ``InputError`` where they do not sit there."""
        ...

    def make_token(self, token: Token) -> str:
        """Make a token, whose ``ident`` is chosen here; what is told is told once.

        Raises
        ------
        InputError
            When nobody can read its name, or it ends never or at once.
        LifecycleError
            When its person has too many.
        """
        ...

    def tokens(self, now_us: int, person: str = "") -> Sequence[Token]:
        """List the tokens that are good, somebody's or everybody's, by when they were made."""
        ...

    def revoke(self, ident: str, person: str = "") -> None:
        """End a token, of somebody or of anybody; ``InputError`` where there is none."""
        ...

    def bearer(self, secret: str, now_us: int) -> Sitting | None:
        """Say who asks by a token; None where it is good for nothing."""
        ...

    def looked(self, person: str, page: str, accounts: Sequence[str], now_us: int, token: str = "") -> None:
        """Write down that somebody was shown accounts, or a program in their name."""
        ...

    def looks(self, *, before: int = 0, limit: int) -> Sequence[Look]:
        """List looks, the latest first: those before a number."""
        ...

    def version(self) -> Hashable:
        """Tell, at the price of a look, a value that is another one once anything changed."""
        ...

    def broken_look(self) -> int:
        """Find the first look that does not follow from the one before it; 0 where all do."""
        ...
