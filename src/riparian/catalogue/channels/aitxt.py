"""What does ai.txt say: which kinds of file may data sets be made of?

It has the grammar of robots.txt and another meaning: ``Disallow: *.mp3`` keeps sound out of data sets for training,
whoever makes them.  It is no standard of anybody but the company that thought of it, whose own tool has read it; it is
written because it costs a few lines, and because somebody may say later that it was not there.

Source
------
Spawning, ai.txt: the file that its generator makes, as found at sites that publish it; RFC 9309 for the grammar.
"""

from collections.abc import Sequence
from typing import Final

from riparian.catalogue.channels.robots import OCTETS_MAX
from riparian.catalogue.channels.says import ANYBODY, TRAINS, Fault, Rules, Statement, limited
from riparian.catalogue.consent import Stance

NAME: Final = "ai.txt"
SOUND: Final = ("aac", "aiff", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav", "wma")
_HEAD: Final = "# Spawning AI\n# Prevent datasets from using the following file types\n\nUser-Agent: *\n"


class AiTxt:
    r"""An ai.txt, as ``Channel``.

    Examples
    --------
    >>> file = AiTxt(b"User-Agent: *\nDisallow: *.mp3\nAllow: *.txt\n")
    >>> [[str(said.stance) for said in file.at(path)] for path in ("/a.mp3", "/a.txt", "/a.html")]
    [['reserved'], ['permitted'], []]
    """

    def __init__(self, data: bytes, where: str = NAME) -> None:
        self.faults: list[Fault] = []
        said: dict[str, list[tuple[str, Statement]]] = {}
        agents: list[str] = []
        is_head = False
        for number, line in enumerate(limited(data, OCTETS_MAX, where, self.faults).splitlines(), 1):
            name, colon, value = line.partition("#")[0].partition(":")
            name, value = name.strip().lower(), value.strip()
            if not colon:
                if name:
                    self.faults.append(Fault(f"{where} line {number}", f"`{name[:40]}` is no rule"))
            elif name == "user-agent":
                agents = [*agents, value.lower()] if is_head else [value.lower()]
                is_head = True
            elif name in {"allow", "disallow"} and value:
                is_head = False
                stance = Stance.PERMITTED if name == "allow" else Stance.RESERVED
                one = Statement(NAME, f"{where} line {number}", f"{name.title()}: {value}", TRAINS, stance)
                for agent in agents:
                    said.setdefault(agent, []).append((value, one))
        self._rules = {agent: Rules(rules) for agent, rules in said.items()}

    @property
    def agents(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return tuple(agent for agent in self._rules if agent != ANYBODY)

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return tuple(dict.fromkeys(pattern for rules in self._rules.values() for pattern in rules.patterns))

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        rules = self._rules.get(agent) or self._rules.get(ANYBODY)
        return rules.longest(path) if rules is not None else []


def written(default: Stance, others: Sequence[tuple[str, Stance]]) -> str:
    """Write an ai.txt: what holds of sound and all else, and paths of which something else holds.

    Examples
    --------
    >>> print(written(Stance.RESERVED, [("/tracks/r-1$", Stance.PERMITTED)]).splitlines()[-3:])
    ['Disallow: /', 'Disallow: *', 'Allow: /tracks/r-1$']
    """
    lines = [f"{_word(default)}: {path}" for path in (*(f"*.{kind}" for kind in SOUND), "/", "*")]
    return _HEAD + "\n".join([*lines, *(f"{_word(stance)}: {path}" for path, stance in others)]) + "\n"


def _word(stance: Stance) -> str:
    return "Allow" if stance is Stance.PERMITTED else "Disallow"
