"""Why is a grant or a token not good for this request?"""

from enum import StrEnum


class Refused(StrEnum):
    """What was wrong; the first fault that was found.

    Who presents a token learns no more from it than that it is refused: an edge puts it into its own log and its
    metrics.
    """

    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown key"
    """A key that this ring never had, or one that has retired."""
    BAD_MAC = "bad mac"
    """Forged, altered, or, in the form ``hmac``, presented by another device."""
    ENDED = "ended"
    OTHER_ACCOUNT = "other account"
    OTHER_PATH = "other path"
    OTHER_DEVICE = "other device"

    NOT_YET = "not yet"
    OTHER_ISSUER = "other issuer"
    OTHER_AUDIENCE = "other audience"
    OTHER_METHOD = "other method"
    OTHER_NETWORK = "other network"
    OTHER_PLACE = "other place"
    OTHER_PROTOCOL = "other protocol"
    OTHER_HEADER = "other header"
    REPLAYED = "replayed"
    UNKNOWN_CLAIM = "unknown claim"
    """It claims something that is not checked here; a limit that nobody checks would be none."""
