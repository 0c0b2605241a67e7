"""One seed, many independent streams of randomness, each with a name.

Every use of randomness in the simulator asks for its own stream.  A stream depends on nothing but the
seed and its name, so a new use of randomness, another ring or a longer period disturbs no other draw.
"""

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Open the stream of this seed with this name; asking twice gives the same numbers.

    Parameters
    ----------
    seed
        Any integer from zero on.
    name
        What the numbers are for, such as ``listeners/volume/17``.

    Examples
    --------
    >>> bool(stream(1, "a").integers(1 << 40) == stream(1, "a").integers(1 << 40))
    True
    >>> bool(stream(1, "a").integers(1 << 40) == stream(1, "b").integers(1 << 40))
    False
    """
    words = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=16).digest(), dtype="<u4")
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words.tolist()])))
