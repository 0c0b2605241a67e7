"""Do all forms on a site say the same of every path, and the same as the ledger?

Every form is asked, after its own rules of precedence, of every path that any of them names and of every file of the
site.  Two contradict each other where one permits a deed to anybody and freely and the other does not.  Silence is no
answer, a permission on conditions and a reservation agree, and an exception for a named agent contradicts nobody else:
none is invented.  One that several paths share is told once.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from riparian.catalogue.channels.aitxt import AiTxt
from riparian.catalogue.channels.cawg import Sealed, Told
from riparian.catalogue.channels.pages import Headers, Pages
from riparian.catalogue.channels.robots import Robots
from riparian.catalogue.channels.rsl import Rsl
from riparian.catalogue.channels.says import ANYBODY, Channel, Deed, Fault, Statement
from riparian.catalogue.channels.tdmrep import TdmFile
from riparian.catalogue.consent import Stance

BASES_MAX: Final = 4_000
PROBES_MAX: Final = 40_000
_WORK_MAX: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """What was found on a site; a file that is not there is None.

    Parameters
    ----------
    documents
        Addresses of documents of RSL as the site writes them, or their paths, and their octets.
    headers
        Patterns of paths, and names and values of headers there.
    pages, sealed
        Paths of pages of HTML and of sound, and what is in them.
    other
        Paths of all else that is there.
    """

    robots: bytes | None = None
    aitxt: bytes | None = None
    tdmrep: bytes | None = None
    documents: Mapping[str, bytes] = field(default_factory=dict)
    headers: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    pages: Mapping[str, bytes] = field(default_factory=dict)
    sealed: Mapping[str, Told] = field(default_factory=dict)
    other: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements of which one permits what the other does not.

    Parameters
    ----------
    path
        The first path of which both are said.
    paths
        How many of those that were looked at.
    agent
        To whom; ``*`` for anybody.
    """

    permits: Statement
    reserves: Statement
    deeds: frozenset[Deed]
    path: str
    paths: int
    agent: str = ANYBODY


@dataclass(frozen=True, slots=True)
class Checked:
    """What is found.

    Parameters
    ----------
    paths
        How many were looked at.
    passed_over
        How many more the site names than are looked at.
    says
        How many statements there are in each form.
    """

    contradictions: tuple[Contradiction, ...]
    faults: tuple[Fault, ...]
    paths: int
    passed_over: int
    says: Mapping[str, int]


def check(site: Site, others: Sequence[Channel] = ()) -> Checked:
    r"""Look for contradictions.

    Parameters
    ----------
    others
        What else is compared: the ledger.

    Examples
    --------
    >>> site = Site(robots=b"User-agent: *\nContent-Usage: train-ai=y",
    ...             tdmrep=b'[{"location": "/", "tdm-reservation": 1}]')
    >>> one, = check(site).contradictions
    >>> one.permits.where, one.reserves.where, sorted(map(str, one.deeds))
    ('robots.txt line 2', 'tdmrep.json rule 1', ['training of generative models'])
    """
    forms = _Forms.of(site, others)
    probes, left = _probes(forms.channels, [*site.pages, *site.sealed, *site.other])
    found: dict[tuple[object, ...], Contradiction] = {}
    says: dict[str, set[Statement]] = {}
    for agent, channels in forms.asked():
        for path in probes:
            said = [statement for channel in channels for statement in channel.at(path, agent)]
            for one in said:
                says.setdefault(one.channel, set()).add(replace(one, deeds=frozenset()))
            _note(found, said, path, agent)
    faults = dict.fromkeys(fault for channel in forms.channels for fault in channel.faults)
    ordered = sorted(found.values(), key=lambda one: (one.path, one.permits.where, one.reserves.where, one.agent))
    return Checked(
        tuple(ordered),
        (*faults, *forms.missing),
        len(probes),
        left,
        {name: len(statements) for name, statements in sorted(says.items())},
    )


def _note(found: dict[tuple[object, ...], Contradiction], said: Sequence[Statement], path: str, agent: str) -> None:
    # Who says the same twice in one form is told of once.
    once = list({(one.channel, one.text, one.deeds, one.stance): one for one in reversed(said)}.values())[::-1]
    free = [one for one in once if one.stance is Stance.PERMITTED]
    kept = [one for one in once if one.stance is not Stance.PERMITTED]
    for permits, reserves in itertools.product(free, kept):
        deeds = permits.deeds & reserves.deeds
        if not deeds:
            continue
        key = (permits.channel, permits.where, permits.text, reserves.channel, reserves.where, reserves.text, agent)
        before = found.get(key)
        if before is None:
            found[key] = Contradiction(permits, reserves, deeds, path, 1, agent)
        else:
            found[key] = replace(before, deeds=before.deeds | deeds, paths=before.paths + 1)


@dataclass(frozen=True, slots=True)
class _Forms:
    robots: Robots
    aitxt: AiTxt
    others: tuple[Channel, ...]
    by_agent: Mapping[str, tuple[Channel, ...]]
    missing: tuple[Fault, ...]

    @classmethod
    def of(cls, site: Site, others: Sequence[Channel]) -> "_Forms":
        robots, aitxt = Robots(site.robots or b""), AiTxt(site.aitxt or b"")
        headers, pages = Headers(site.headers), Pages(site.pages)
        documents = {address: Rsl(data, address) for address, data in site.documents.items()}
        wanted = dict.fromkeys([*robots.licenses_for(), *headers.licenses, *pages.licenses])
        own = {agent: robots.groups[agent].licenses for agent in robots.agents}
        every = dict.fromkeys([*wanted, *(url for urls in own.values() for url in urls)])
        there = {url: place for url in every for place in (url, _path_of(url)) if place in documents}
        by_agent = {agent: tuple(documents[there[url]] for url in urls if url in there) for agent, urls in own.items()}
        missing = [
            Fault(url, "is named as a document of RSL, and was not found: it is not checked")
            for url in every
            if url not in there
        ]
        missing += [
            Fault(place, "is a document of RSL, and nothing on the site names it: nobody will read it")
            for place in documents
            if place not in there.values()
        ]
        tdm = [TdmFile(site.tdmrep)] if site.tdmrep is not None else []
        named = list(dict.fromkeys(documents[there[url]] for url in wanted if url in there))
        return cls(
            robots, aitxt, (*tdm, headers, pages, *named, Sealed(site.sealed), *others), by_agent, tuple(missing)
        )

    @property
    def channels(self) -> tuple[Channel, ...]:
        own = (document for documents in self.by_agent.values() for document in documents)
        return tuple(dict.fromkeys((self.robots, self.aitxt, *self.others, *own)))

    def asked(self) -> Iterable[tuple[str, tuple[Channel, ...]]]:
        yield ANYBODY, (self.robots, self.aitxt, *self.others)
        for agent, documents in self.by_agent.items():
            yield agent, (self.robots, *([self.aitxt] if agent in self.aitxt.agents else []), *documents)


def _probes(channels: Sequence[Channel], files: Sequence[str]) -> tuple[list[str], int]:
    """Give a path for every pattern, one for every pattern's ending below every other, and the files."""
    patterns = dict.fromkeys(pattern for channel in channels for pattern in channel.patterns)
    plain = dict.fromkeys(["/", *(_an_example(one) for one in patterns if not one.startswith("*") and one)])
    tails = dict.fromkeys(one.rpartition("*")[2].rstrip("$") for one in patterns if one.lstrip("/").startswith("*"))
    folders = list(dict.fromkeys(one.rpartition("/")[0] + "/" for one in plain))
    deeper = (f"{folder}x{tail}" for tail in ("", *tails) for folder in folders[:BASES_MAX])
    every = dict.fromkeys([*list(plain)[:BASES_MAX], *files, *itertools.islice(deeper, PROBES_MAX)])
    n_wild = sum("*" in one or "$" in one for one in patterns)
    kept = list(every)[: max(100, min(PROBES_MAX, _WORK_MAX // max(1, n_wild)))]
    return kept, len(plain) + len(files) + len(folders) * (len(tails) + 1) - len(kept) if len(kept) < len(every) else 0


def _an_example(pattern: str) -> str:
    example = pattern.rstrip("$").replace("*", "x")
    return example if example.startswith("/") else f"/{example}"


def _path_of(url: str) -> str:
    _, has_host, rest = url.partition("://")
    return "/" + rest.partition("/")[2] if has_host else url
