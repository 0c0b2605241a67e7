"""Which platform does an agent say that it runs on?

The text of an agent stays outside: inside the house it is a code.  What the questions about devices need of it is one
of four platforms, and that stands in the lowest two bits of the code.

Conventions
-----------
0 not said, 1 Apple's, 2 Android and other Linux, 3 Windows.  Speakers and televisions say many things: 0.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

APPLE, LINUX, WINDOWS = 1, 2, 3
PLATFORM_BITS: Final = np.uint64(3)
_WINDOWS: Final = re.compile(r"windows|xbox", re.IGNORECASE)
_LINUX: Final = re.compile(r"android|linux|x11|cros\b|tizen|web0s", re.IGNORECASE)
_APPLE: Final = re.compile(r"iphone|ipad|ipod|mac ?os|macintosh|darwin|cfnetwork|applecoremedia|\bios\b", re.IGNORECASE)


def platform_of(agent: str) -> int:
    """Tell the platform that an agent names; none when it names several.

    Examples
    --------
    >>> [platform_of(a) for a in ("Osprey/9.1 (iPhone; iOS 19.1)", "Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5")]
    [1, 2, 0]
    """
    if _WINDOWS.search(agent):
        return WINDOWS
    apple, linux = _APPLE.search(agent) is not None, _LINUX.search(agent) is not None
    return 0 if apple == linux else APPLE if apple else LINUX


def with_platforms(codes: npt.NDArray[np.uint64], agents: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Write the platform of every agent into its code.

    Parameters
    ----------
    codes : np.ndarray [shape=(n,), uint64]
        Codes of the agents, 0 where none is given.
    agents
        Their texts.

    Examples
    --------
    >>> with_platforms(np.array([0xFF, 0], np.uint64), pa.array(["iPad", None])).tolist()
    [253, 0]
    """
    texts = agents.combine_chunks() if isinstance(agents, pa.ChunkedArray) else agents
    texts = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    words = [0 if word is None else platform_of(str(word)) for word in texts.dictionary.to_pylist()]
    platform = np.array([*words, 0], np.uint64)[texts.indices.fill_null(len(words)).to_numpy()]
    marked = (codes & ~PLATFORM_BITS) | platform
    # Zero is "not given", and never a code.
    return np.where(codes == 0, np.uint64(0), np.maximum(marked, PLATFORM_BITS + np.uint64(1)))


def platforms(codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Read the platforms back out of codes of agents.

    Examples
    --------
    >>> platforms(np.array([253, 0], np.uint64)).tolist()
    [1, 0]
    """
    return (codes & PLATFORM_BITS).astype(np.uint8)
