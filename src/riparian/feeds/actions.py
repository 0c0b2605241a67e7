"""What operators call the things that an account does, and which action of ours that is."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.schema import Action

_WORDS: Final[Mapping[Action, str]] = {
    Action.PLAY: "play plays played playback stream streamed streaming listen listened start started complete",
    Action.SEGMENT: "segment chunk fragment media",
    Action.LICENCE: "licence license key drm",
    Action.METADATA: "metadata lookup browse detail info",
    Action.SEARCH: "search query suggest",
    Action.DOWNLOAD: "download offline",
}
_ACTIONS: Final[Mapping[str, int]] = {
    **{word: int(action) for action, words in _WORDS.items() for word in words.split()},
    **{str(int(action)): int(action) for action in Action},
}

NEED_RECORDING: Final = (Action.PLAY, Action.SEGMENT, Action.DOWNLOAD)
"""Actions that mean nothing without a recording; a search or a licence may come without one."""


def action_of(word: str) -> int:
    """Give the action that a word stands for, 0 for none of ours.

    Examples
    --------
    >>> action_of("Streamed"), action_of("licence"), action_of("logged out")
    (1, 3, 0)
    """
    return _ACTIONS.get(word.strip().lower(), 0)


def actions_of(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint8]:
    """Give the action of each value, 0 where it is none of ours or missing.

    Examples
    --------
    >>> actions_of(pa.array(["play", "pause", None])).tolist()
    [1, 0, 0]
    """
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    coded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
    table = np.zeros(len(coded.dictionary) + 1, dtype=np.uint8)
    table[:-1] = [0 if word is None else action_of(str(word)) for word in coded.dictionary.to_pylist()]
    rows = coded.indices.cast(pa.int64()).fill_null(len(coded.dictionary)).to_numpy(zero_copy_only=False)
    actions: npt.NDArray[np.uint8] = table[rows]
    return actions
