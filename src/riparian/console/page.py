"""What is a page of the console, and what is it asked?

A page is a module: ``facts(given, question)`` says what there is to see, as JSON has it, by the functions that the
command line calls; a template beside it shows exactly that.  What can be done on a page is an act: a form that is
sent, a function that does it, a sentence that says that it was done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode

from riparian.assembly import Given
from riparian.console.forms import Brought, Room
from riparian.console.words import visible
from riparian.errors import InputError
from riparian.ports.staff import Person, Role

Form = Mapping[str, str]
EVERYBODY: Final = None
"""In place of a role: signed in or not."""
NOBODY: Final = Person("", Role.VIEWER)
"""Who asks what everybody may, without being signed in."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a page is asked, and by whom.

    Parameters
    ----------
    person
        Who is signed in; one without a name where nobody is, on a page for everybody.
    asked
        What stands behind the question mark.
    at
        Where people reach the console.
    brought
        A file that came with a form.
    seat
        Where they are signed in (``ports.staff.Seat``); empty for a program.
    """

    person: Person
    asked: Mapping[str, str] = field(default_factory=dict)
    at: str = ""
    brought: Brought | None = None
    seat: str = ""

    def of(self, name: str) -> str:
        """Read one thing that is asked; empty where it is not."""
        return self.asked.get(name, "")


class Facts(Protocol):
    """A module that says what a page shows."""

    @property
    def __name__(self) -> str:
        """As of any module; the last word names the template."""
        ...

    def facts(self, given: Given, question: Question) -> dict[str, Any]:
        """Say what there is to see, as JSON has it."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an act.

    Parameters
    ----------
    to
        The page that shows it.
    told
        What is told once, and stands nowhere; the page is then shown at once, with it.
    """

    to: str
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done on a page.

    Parameters
    ----------
    name
        The last part of the path that its form is sent to.
    role
        Who may, at least; or everybody, signed in or not: so often from one address, and without a form's token, since
        it changes nothing.
    do
        Does it.
    said
        That it was done, as a sentence.
    wants_person
        Whether a token may never do it, whatever its role.
    octets
        Of what everybody may: how much they may send, as a text or as a file in the field ``file``.
    room
        Of one that takes a file: where that may lie, and how large it may be.
    wants_fresh
        Whether whoever does it has to have signed in lately.
    """

    name: str
    role: Role | None
    do: Callable[[Given, Question, Form], Done]
    said: str
    wants_person: bool = False
    octets: int = 0
    room: Callable[[Given], Room] | None = None
    wants_fresh: bool = False

    @property
    def is_for_people(self) -> bool:
        """Whether it wants somebody at a browser: what approvers and admins do is never a program's."""
        return self.wants_person or (self.role is not None and self.role >= Role.APPROVER)


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Parameters
    ----------
    path
        Where it is.
    title
        What it is called.
    role
        Who may look, at least; or everybody, signed in or not.
    of
        The module that says what it shows.
    is_listed
        Whether it stands in the navigation, or is reached from another page.
    under
        Of a page that is not, the path of the one that stands there for it.
    acts
        What can be done on it.
    looks_at
        Which accounts whoever looks sees, as pseudonyms: every look is written down.
    part
        Gives a file that the page names, such as sound, and of what kind it is; at ``PATH/part``.
    """

    path: str
    title: str
    role: Role | None
    of: Facts
    is_listed: bool = True
    under: str = ""
    acts: tuple[Act, ...] = ()
    looks_at: Callable[[Mapping[str, Any]], list[str]] | None = None
    part: Callable[[Given, Question], tuple[Path, str]] | None = None

    @property
    def template(self) -> str:
        """The name of its template."""
        return f"pages/{self.of.__name__.rpartition('.')[2]}.html.j2"


def may(person: Person | None, role: Role | None) -> bool:
    """Say whether somebody may, who may be nobody.

    Examples
    --------
    >>> ada = Person("Ada", Role.ANALYST)
    >>> may(ada, Role.VIEWER), may(ada, Role.ADMIN), may(None, Role.VIEWER), may(None, EVERYBODY)
    (True, False, False, True)
    """
    return role is None or (person is not None and person.role >= role)


def facts_at(given: Given, where: str, pages: tuple[Page, ...], person: Person) -> dict[str, Any]:
    """Say what stands on a page, by its path and what is asked of it.

    Raises
    ------
    InputError
        When there is no such page.
    """
    path, _, asked = where.partition("?")
    page = next((one for one in pages if one.path == path), None)
    if page is None:
        known = ", ".join(f"`{one.path}`" for one in pages)
        raise InputError(f"`{visible(where)}` is no page, wanted one of {known}")
    return page.of.facts(given, Question(person, dict(parse_qsl(asked))))


def address(path: str, **asked: object) -> str:
    """Write the address of a page.

    Examples
    --------
    >>> address("/account", id="a/b&c"), address("/accounts", after=None)
    ('/account?id=a%2Fb%26c', '/accounts')
    """
    kept = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path
