"""What does the assertion in a sound file say: may this very file be trained on, or mined?

Four entries, each ``allowed``, ``notAllowed`` or ``constrained``, in a manifest of C2PA that is signed and goes with
the file.  Of what is not said more about, ``constrained`` is as good as ``notAllowed``.  It holds for the octets that
were signed: changed sound or new tags make it invalid, and copying the stream into another file leaves it behind.

Source
------
CAWG, Training and Data Mining Assertion 1.1, "Assertion definition" (the CDDL that has the ``entries`` map); the same
of C2PA 1.4 with the prefix ``c2pa.``, which is still met.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from riparian.catalogue.channels.says import ANYBODY, Deed, Fault, Statement
from riparian.catalogue.consent import Stance
from riparian.catalogue.terms import Use

LABEL: Final = "cawg.training-mining"
LABELS: Final = (LABEL, "c2pa.training-mining")
ENTRIES: Final[Mapping[str, Deed]] = MappingProxyType(
    {
        "ai_generative_training": Deed.GENERATIVE,
        "ai_training": Deed.TRAINING,
        "ai_inference": Deed.INFERENCE,
        "data_mining": Deed.MINING,
    }
)
_USES: Final = {
    "ai_generative_training": Use.TRAIN,
    "ai_training": Use.TRAIN,
    "ai_inference": Use.INFER,
    "data_mining": Use.MINE,
}
_WORDS: Final = {
    Stance.PERMITTED: "allowed",
    Stance.CONSTRAINED: "constrained",
    Stance.RESERVED: "notAllowed",
}
_STANCES: Final = {word: stance for stance, word in _WORDS.items()}


class Trust(StrEnum):
    """How far the signature of a file's manifest can be relied on."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    """The octets are those that were signed, by somebody whom nobody vouches for."""
    INVALID = "invalid"
    """Something was changed after it was signed, or what is there cannot be read."""
    ABSENT = "absent"
    """There is no manifest: there never was one, or it was left behind."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a file's manifest says, and how far that can be relied on.

    Parameters
    ----------
    assertion
        Its assertion about training and mining; None where it has none.
    signer
        Whom the certificate names.
    why
        What makes it invalid or untrusted, in the words of C2PA's codes.
    """

    trust: Trust
    assertion: object = None
    signer: str = ""
    why: str = ""


class Sealed:
    """What the assertions of a site's files say, as ``Channel``: each of its own file alone.

    Parameters
    ----------
    told
        Path to what its manifest says.

    Examples
    --------
    >>> said = Told(Trust.TRUSTED, {"entries": {"cawg.ai_training": {"use": "notAllowed"}}})
    >>> sealed = Sealed({"/a.mp3": said, "/b.mp3": Told(Trust.INVALID, why="assertion.dataHash.mismatch")})
    >>> [str(one.stance) for one in sealed.at("/a.mp3")], sealed.faults[0].why
    (['reserved'], 'its manifest is invalid (assertion.dataHash.mismatch): it says nothing')
    """

    agents: tuple[str, ...] = ()

    def __init__(self, told: Mapping[str, Told]) -> None:
        self.faults: list[Fault] = []
        self._said: dict[str, list[Statement]] = {}
        for path, one in told.items():
            if one.trust is Trust.INVALID:
                self.faults.append(Fault(path, f"its manifest is invalid ({one.why}): it says nothing"))
            elif one.assertion is not None:
                said, faults = statements(one.assertion, path)
                self._said[path] = said
                self.faults += faults
                if one.trust is Trust.UNTRUSTED:
                    self.faults.append(
                        Fault(path, f"its manifest is signed by `{one.signer}`, whom no list vouches for")
                    )

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return tuple(self._said)

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        del agent
        return self._said.get(path, [])


def written(stances: Mapping[Use, tuple[Stance, str]]) -> dict[str, Any]:
    """Write the assertion: what is decided of each use, and its conditions.

    Examples
    --------
    >>> said = written({Use.TRAIN: (Stance.RESERVED, ""), Use.MINE: (Stance.CONSTRAINED, "https://x.example/tdm")})
    >>> said["entries"]["cawg.data_mining"], said["entries"]["cawg.ai_training"]
    ({'use': 'constrained', 'constraint_info': 'https://x.example/tdm'}, {'use': 'notAllowed'})
    """
    entries: dict[str, dict[str, str]] = {}
    for name, use in _USES.items():
        if use in stances:
            stance, conditions = stances[use]
            entry = entries.setdefault(f"cawg.{name}", {"use": _WORDS[stance]})
            if conditions and stance is Stance.CONSTRAINED:
                entry["constraint_info"] = conditions
    return {"entries": entries}


def statements(assertion: object, where: str) -> tuple[list[Statement], list[Fault]]:
    """Read the assertion, whichever prefix its entries have.

    Examples
    --------
    >>> said, faults = statements({"entries": {"cawg.ai_training": {"use": "allowed"}, "x": {}}}, "a.wav")
    >>> [(sorted(one.deeds), str(one.stance)) for one in said], faults
    ([([<Deed.TRAINING: 'training of other models'>], 'permitted')], [])
    >>> statements({"entries": {"cawg.ai_training": {"use": "no"}}}, "a.wav")[1][0].why
    '`cawg.ai_training` says `no`, wanted allowed, notAllowed or constrained'
    """
    entries = assertion.get("entries") if isinstance(assertion, Mapping) else None
    if not isinstance(entries, Mapping):
        return [], [Fault(where, "its assertion has no `entries`: it says nothing")]
    said, faults = [], []
    for name, entry in entries.items():
        prefix, _, word = str(name).partition(".")
        if prefix not in {"cawg", "c2pa"} or word not in ENTRIES:
            continue
        use = entry.get("use") if isinstance(entry, Mapping) else None
        if use not in _STANCES:
            wanted = "allowed, notAllowed or constrained"
            faults.append(Fault(where, f"`{name}` says `{str(use)[:40]}`, wanted {wanted}"))
            continue
        deeds = frozenset({ENTRIES[word]})
        said.append(Statement(LABEL, where, f"{name}: {use}", deeds, _STANCES[str(use)]))
    return said, faults
