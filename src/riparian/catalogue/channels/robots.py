"""What does robots.txt say of a path: may it be fetched, and for which use?

Groups of rules, each for some agents; an agent obeys the groups that name it, else those for anybody.  ``Allow`` and
``Disallow`` say what may be fetched; of what may be, ``Content-Usage`` says what for, by the longest path; of two for
the same path the more restrictive holds, and that they stand there is a contradiction.  ``Content-Signal`` says the
same in words of its own, for a whole group.  ``License`` names a document of RSL, for a group or, outside of any, for
all.

Source
------
RFC 9309; draft-ietf-aipref-attach-05 section 3; RSL 1.0 section 4.4; the Content Signals Policy of September 2025.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from riparian.catalogue.channels import aipref
from riparian.catalogue.channels.says import ANYBODY, TRAINS, Deed, Fault, Rules, Statement, limited, patterns_of
from riparian.catalogue.consent import Stance

OCTETS_MAX: Final = 500 << 10
"""RFC 9309 section 2.5: at least as many are read, so that nothing beyond is relied on."""
USAGE: Final = "robots.txt Content-Usage"
SIGNAL: Final = "robots.txt Content-Signal"
_SIGNALS: Final[Mapping[str, frozenset[Deed]]] = MappingProxyType(
    {"ai-train": TRAINS, "ai-input": frozenset({Deed.INFERENCE}), "search": frozenset({Deed.SEARCH})}
)
_ANSWERS: Final = {"yes": Stance.PERMITTED, "no": Stance.RESERVED}
_RULES: Final = frozenset({"allow", "disallow", "content-usage", "content-signal", "license"})


@dataclass
class Group:
    """Rules for some agents.

    Parameters
    ----------
    crawl
        Paths, and whether they may be fetched.
    usage
        Paths, and what is said of them.
    """

    crawl: list[tuple[str, bool]] = field(default_factory=list)
    usage: list[tuple[str, list[Statement]]] = field(default_factory=list)
    signals: list[Statement] = field(default_factory=list)
    licenses: list[str] = field(default_factory=list)


class Robots:
    r"""A robots.txt, as ``Channel``.

    Examples
    --------
    >>> text = b"User-agent: *\nDisallow: /never/\nContent-Usage: train-ai=n\nContent-Usage: /ok/ train-ai=y"
    >>> robots = Robots(text)
    >>> [[said.text for said in robots.at(path)] for path in ("/test", "/ok/test", "/never/test")]
    [['train-ai=n'], ['train-ai=y'], []]
    """

    def __init__(self, data: bytes, where: str = "robots.txt") -> None:
        self.faults: list[Fault] = []
        self.licenses: list[str] = []
        """Documents of RSL for everybody whose group names none."""
        self._where = where
        self.groups: dict[str, Group] = {}
        self._read(limited(data, OCTETS_MAX, where, self.faults))
        self._crawl = {agent: Rules(group.crawl) for agent, group in self.groups.items()}
        self._usage = {agent: Rules(group.usage) for agent, group in self.groups.items()}

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return tuple(dict.fromkeys((*patterns_of(self._usage.values()), *patterns_of(self._crawl.values()))))

    @property
    def agents(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return tuple(agent for agent in self.groups if agent != ANYBODY)

    def may_fetch(self, path: str, agent: str = ANYBODY) -> bool:
        """Say whether an agent may fetch a path: by the longest rule, of two as long by the one that allows."""
        rules = self._crawl.get(self._chosen(agent))
        return rules is None or any(rules.longest(path) or [True])

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        chosen = self._chosen(agent)
        if chosen not in self.groups or not self.may_fetch(path, agent):
            return []
        said = [statement for some in self._usage[chosen].longest(path) for statement in some]
        return said + self.groups[chosen].signals

    def licenses_for(self, agent: str = ANYBODY) -> list[str]:
        """List the documents of RSL that an agent has to read."""
        group = self.groups.get(self._chosen(agent))
        return group.licenses if group is not None and group.licenses else self.licenses

    def _chosen(self, agent: str) -> str:
        return agent if agent in self.groups else ANYBODY

    def _read(self, text: str) -> None:
        agents: list[str] = []
        is_head = False
        for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
            name, colon, value = line.partition("#")[0].partition(":")
            name, value = name.strip().lower(), value.strip(" \t")
            if not colon:
                continue
            if name == "user-agent":
                agents = [*agents, value.lower()] if is_head else [value.lower()]
                is_head = True
                self.groups.setdefault(agents[-1], Group())
            elif name in _RULES:
                is_head = False
                self._rule(name, value, number, agents)

    def _rule(self, name: str, value: str, number: int, agents: list[str]) -> None:
        where = f"{self._where} line {number}"
        if not agents:
            if name == "license":
                self.licenses.append(value)
            elif name != "allow":
                self.faults.append(Fault(where, f"`{name}` stands before any `User-agent`: it is for nobody"))
            return
        usage = self._usage_of(value, where) if name == "content-usage" else None
        signals = self._signals(value, where) if name == "content-signal" else []
        for group in (self.groups[agent] for agent in dict.fromkeys(agents)):
            group.signals += signals
            if usage is not None:
                group.usage.append(usage)
            elif name == "license":
                group.licenses.append(value)
            elif name in {"allow", "disallow"} and value:
                group.crawl.append((value, name == "allow"))

    def _usage_of(self, value: str, where: str) -> tuple[str, list[Statement]] | None:
        path, text = _path_and_rest(value)
        try:
            usage = aipref.statements(text, USAGE, where)
        except ValueError as error:
            self.faults.append(Fault(where, f"`{_shown(text)}` is no statement of preference ({error})"))
            return None
        if not usage:
            self.faults.append(Fault(where, f"`{_shown(text)}` says nothing of {', '.join(aipref.LABELS)}"))
        return path, usage

    def _signals(self, value: str, where: str) -> list[Statement]:
        said = []
        for pair in value.split(","):
            name, _, answer = (part.strip().lower() for part in pair.partition("="))
            if name in _SIGNALS and answer in _ANSWERS:
                said.append(Statement(SIGNAL, where, f"{name}={answer}", _SIGNALS[name], _ANSWERS[answer]))
            elif name:
                self.faults.append(Fault(where, f"`{_shown(pair.strip())}` is no signal"))
        return said


def _path_and_rest(value: str) -> tuple[str, str]:
    if not value.startswith("/"):
        return "", value
    path, *rest = value.replace("\t", " ").split(" ", 1)
    return path, rest[0].strip() if rest else ""


def _shown(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
