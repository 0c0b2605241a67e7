"""What does Content-Usage say, as the IETF's working group on AI preferences drafts it?

A dictionary of ``train-ai``, ``ai-use`` and ``search``, each ``y`` or ``n``; anything else says nothing of that use.
``ai-use`` came with the eighth draft: who reads by the seventh passes over it, as over every word that it does not
know.  These are drafts: a preference is no licence, and the words may change again.

Source
------
draft-ietf-aipref-vocab-08 sections 4 and 6 (words, format), 5.1 (of several the most restrictive);
draft-ietf-aipref-attach-05 section 2 (header field).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from riparian.catalogue.channels.says import Deed, Statement
from riparian.catalogue.channels.structured import dictionary
from riparian.catalogue.consent import Stance
from riparian.catalogue.terms import Use

HEADER: Final = "Content-Usage"
LABELS: Final[Mapping[str, Deed]] = MappingProxyType(
    {"train-ai": Deed.GENERATIVE, "ai-use": Deed.INFERENCE, "search": Deed.SEARCH}
)
USES: Final[Mapping[str, Use]] = MappingProxyType({"train-ai": Use.TRAIN, "ai-use": Use.INFER, "search": Use.SEARCH})
_STANCES: Final = {"y": Stance.PERMITTED, "n": Stance.RESERVED}


def preferences(text: str) -> dict[str, Stance]:
    """Read a statement of preference; words that it does not know, and values that are none, say nothing.

    Raises
    ------
    ValueError
        When it does not parse: every preference is unknown then.

    Examples
    --------
    >>> {label: str(stance) for label, stance in preferences("train-ai=y, search=n").items()}
    {'train-ai': 'permitted', 'search': 'reserved'}
    >>> preferences('train-ai=y, train-ai, search=n, search="n"')
    {}
    """
    found = dictionary(text)
    return {
        label: _STANCES[item.text]
        for label, item in found.items()
        if label in LABELS and item.is_token and item.text in _STANCES
    }


def statements(text: str, channel: str, where: str) -> list[Statement]:
    """Read a statement of preference, one :class:`.says.Statement` a word.

    Raises
    ------
    ValueError
        As :func:`preferences`.
    """
    return [
        Statement(
            channel, where, f"{label}={'y' if stance is Stance.PERMITTED else 'n'}", frozenset({LABELS[label]}), stance
        )
        for label, stance in preferences(text).items()
    ]


def written(stances: Mapping[Use, Stance]) -> str:
    """Write what is decided: ``n`` for everything that nobody may without asking.

    Examples
    --------
    >>> written({Use.TRAIN: Stance.RESERVED, Use.INFER: Stance.CONSTRAINED, Use.SEARCH: Stance.PERMITTED})
    'train-ai=n, ai-use=n, search=y'
    """
    return ", ".join(
        f"{label}={'y' if stances[use] is Stance.PERMITTED else 'n'}" for label, use in USES.items() if use in stances
    )
