"""What is a letter: a notice, an answer to one, or the taking back of either?

Words decide, in an order; what only one kind says comes first.  Who withdraws a notice may quote it, and who answers
one quotes the law on which both stand, so it matters who speaks: *we withdraw our notice* is a retraction, *we reserve
the right to withdraw* is none.
"""

import re
from typing import Final

from riparian.cases.notice import Kind
from riparian.cases.reading.places import ADDRESS
from riparian.cases.reading.plain import body, either, folded
from riparian.cases.reading.seen import Answer

_COUNTER_NAMED: Final = r"counter(?:\W?(?:notice|notif\w*|claim|dmca|takedown))"
_NOTICE_NAMED: Final = (
    r"(?:notices?|notifications?|claims?|take\W?downs?|d(?:mc|cm)as?|requests?|complaints?|reports?"
    r"|submissions?|removals?)"
)
_WITHDRAW: Final = (
    r"(?:retract|retracts|retracted|retracting|retraction|withdraw|withdraws|withdrawn|withdrawing|withdrawal|rescind"
    r"|rescinds|rescinded|rescinding|revoke|revoked|revoking|cancel|cancelled|canceled|cancelling|recant|void|undo)"
)

_REVERSED: Final = either(
    "(?:has|have) ~1 (?:reversed|reconsidered) (?:the|this|a|our) ~7 (?:notices?|takedowns?|decision)",
    "(?:determined|decided|concluded) ~7 notices? ~7 (?:does|do|did) not (?:meet|satisfy)",
    "decided to reject th(?:is|e|ese) ~1 notice",
    "reinstated ~14 (?:erroneously|in error) ~7 removed",
)
_WITHDRAWN: Final = either(
    f"(?:i|we|us|client|clients|company|like|wish|want|hereby|please|kindly|decided|decision|would|to|am|is|are|be|of|ltd"
    f"|inc|llc|gmbh|the|official|formal|formally|officially|dmca|request|requesting|a) {_WITHDRAW} ~14"
    f" (?:{_NOTICE_NAMED}|{_COUNTER_NAMED})",
    f"(?:{_NOTICE_NAMED}|{_COUNTER_NAMED}) ~7 (?:be|is|are|was|were|been|as|it|have|has) ~7"
    r" (?:retracted|withdrawn|rescinded|revoked|cancel\w+|void)",
    r"(?:retraction|withdrawal|cancellation) (?:of|for|request|letter|notice)",
    "(?:have|get|want|see|has) ~2 (?:dmca|notice|takedown|claim) (?:retracted|withdrawn|rescinded|revoked|cancell?ed)",
    f"(?:retraction|withdrawal|revocation) of ~7 (?:{_NOTICE_NAMED})",
    "(?:requests?|issue|file|submit|want|like|need) ~7 (?:a|an|the|this|for) (?:\\w+ )?retraction",
    "(?:remove|drop|lift|close|reverse|delete) ~3 (?:my|our) ~3 (?:dmca|take\\W?downs?|claim|notice|complaint)",
    "(?:remove|drop|lift|null|nullify|invalidate|annul) the d(?:mc|cm)a ~1 (?:take\\W?down|notice|claim|request)",
    "requests? ~2 (?:retraction|withdrawal)",
    "(?:mistaken|wrong|erroneous|incorrect|false)\\w* (?:detected|reported|identified|flagged|claimed) ~40"
    " (?:re\\W?instat|restor|re\\W?enabl)\\w*",
    "misdetected ~40 (?:re\\W?instat|restor|re\\W?enabl)\\w*",
    "mistake in our ~3 (?:findings|notice|claim|report|takedown)",
    f"{_NOTICE_NAMED} ~3 (?:not|no longer) (?:needed|required|necessary|valid|relevant)",
)
_GIVEN_BACK: Final = either(
    "(?:re\\W?enable|re\\W?instate|restore|unblock|put back|bring back|make live|re\\W?activate)\\w*",
    "(?:repositor\\w+|repos?|content|url|files?|page|project) ~7 (?:live|online|available|public|enabled) again",
)
_RESERVED: Final = either(
    f"(?:reserv\\w+|right to|until|unless|if|without|when|once|refus\\w+|before|whether) ~7 {_WITHDRAW}",
    f"(?:not|never) ~2 {_WITHDRAW}",
)
_MISTAKE: Final = (
    "(?:removed|disabled|taken down|blocked|deleted) ~14 (?:mistake|misidentification|error)",
    "(?:mistake or mis\\w+|misidentification)",
)
_MISTAKE_SWORN: Final = either(
    "(?:good faith|perjury|swear) ~28 (?:mistake|misidentification)",
    "good faith ~28 (?:take\\W?down|notice|claim) ~7 (?:error|mistake\\w*)",
)
_COUNTER_STATED: Final = either(
    *_MISTAKE,
    "(?:consent|submit|agree) ~7 jurisdiction",
    "accept ~7 service ~7 process",
)
_COUNTER_NAMES_ITSELF: Final = either(
    f"(?:this|following|below|hereby|my|our|am|are|file|filing|submit|submitting|send|sending|a|as|formal|valid|dmca|the"
    f"|to|regarding|subject|official|serve|serves|is) {_COUNTER_NAMED}",
)
_COUNTER_BEGINS: Final = re.compile(rf"\W*(?:\w+\W+){{0,5}}?{_COUNTER_NAMED}", re.IGNORECASE)
_ACTION_FILED: Final = either(
    "(?:have|has) filed ~14 (?:action|complaint|lawsuit|suit) ~14 (?:seeking|restrain|court|enjoin)\\w*",
    "notice of (?:legal action|action filed)",
    "action prevents ~7 from restoring",
)
_COUNTER_GUIDE: Final = either(r"guide to (?:filing|submitting) a dmca counter")
_ASKED_BACK: Final = either(
    "(?:dispute|challenge|contest|appeal|object)\\w* ~7 (?:notice|takedown|take down|claim|dmca|removal)",
    "(?:restore|reinstate|re\\W?enable|put back|unblock)\\w* ~7 (?:my|our|the|access|repositor\\w+|content|it)",
    "(?:my|our) ~7 (?:was|were|has been|have been|got) ~7 (?:removed|disabled|taken|blocked|dmca)",
)
_NOT_AUTHORISED: Final = either("not ~7 authori\\w+ ~7 (?:by|from) ~7 (?:owner|law|agent|holder)")
_TAKEDOWN_STATED: Final = either(
    "not ~7 authori\\w+ ~7 (?:by|from) ~7 (?:owner|law|agent|holder)",
    "(?:exclusive right|rights?) ~7 allegedly infringed",
    "alleged(?:ly)? infring\\w+",
    "(?:remove|take down|disable|delete|removal|takedown|expeditiously) ",
)
_SPEAKS_OF_RIGHTS: Final = either(
    "copyright\\w*", "infring\\w*", "dmca", "intellectual property", "piracy", "pirated", "leak\\w*"
)
_ACKNOWLEDGED: Final = either(
    f"(?:we|i) (?:have|has|confirm|acknowledge) ~7 (?:received|receipt) ~7 {_NOTICE_NAMED}",
    f"thank(?:s| you) for (?:your|submitting|contacting) ~14 {_NOTICE_NAMED}",
    f"(?:your|the) {_NOTICE_NAMED} ~7 (?:has been|was|is) ~7 (?:received|logged|assigned|registered|processed)",
)
_REASONS: Final = either("statement of reasons")
_ASKS: Final = either(
    "copy ~14 (?:was|were|been|is) ~3 (?:issued|given|sent|delivered) to you",
    "copy that (?:was issued to you|you have from us)",
)
_OPENING: Final = 1500
_HEAD: Final = 400

_OF_COUNTER_FORM: Final = frozenset({"counter_ownership", "former_locations", "dispute"})
_OF_NOTICE_FORM: Final = frozenset({"ownership", "works", "locations"})


def kind_of(text: str, answers: tuple[Answer, ...] = ()) -> tuple[Kind, Kind | None]:
    """Say what a letter is, and for an answer to what.

    Parameters
    ----------
    text
        The letter; a subject line may be its first.
    answers
        Of a form with questions: which form it is decides.

    Returns
    -------
    tuple
        The kind; and the kind of letter that it answers or takes back, None for a first letter.

    Examples
    --------
    >>> kind_of("We hereby withdraw our notice of 3 May about https://a.example/1.")[0].value
    'retraction'
    >>> kind_of("Please take https://a.example/1 down, it infringes my copyright.")[0].value
    'takedown'
    >>> kind_of("Lunch at noon?")[0].value
    'other'
    """
    plain = ADDRESS.sub(" ", folded(body(text))).replace("\n", " ").lstrip()
    opening = plain[:_OPENING]
    if (found := _REVERSED.search(opening)) and not answers:
        about = Kind.COUNTER if _says_counter(opening[: found.end() + 120]) else Kind.TAKEDOWN
        return Kind.REVERSAL, about
    fields = {one.field for one in answers}
    if fields & (_OF_COUNTER_FORM | _OF_NOTICE_FORM):
        return (Kind.TAKEDOWN, None) if fields & _OF_NOTICE_FORM else (Kind.COUNTER, Kind.TAKEDOWN)
    return _of_words(plain, opening)


def _of_words(plain: str, opening: str) -> tuple[Kind, Kind | None]:
    """Go through what only one kind says, and then through what a first notice says."""
    if (withdrawn := _withdrawn(plain, opening)) is not None and not _ACTION_FILED.search(opening):
        return withdrawn
    is_there: tuple[tuple[bool, tuple[Kind, Kind | None]], ...] = (
        (bool(_ACTION_FILED.search(opening)), (Kind.OTHER, Kind.COUNTER)),
        (_is_counter(plain, opening), (Kind.COUNTER, Kind.TAKEDOWN)),
        (_acknowledges(plain, opening), (Kind.ACKNOWLEDGEMENT, Kind.TAKEDOWN)),
        (bool(_REASONS.search(opening[:_HEAD])), (Kind.REASONS, Kind.TAKEDOWN)),
        (bool(_ASKS.search(opening)), (Kind.INQUIRY, None)),
        (_complains(plain), (Kind.TAKEDOWN, None)),
    )
    return next((kind for is_it, kind in is_there if is_it), (Kind.OTHER, None))


def _acknowledges(plain: str, opening: str) -> bool:
    return bool(_ACKNOWLEDGED.search(opening[:_HEAD])) and not _TAKEDOWN_STATED.search(plain)


def _complains(plain: str) -> bool:
    return bool(_SPEAKS_OF_RIGHTS.search(plain)) or len(_TAKEDOWN_STATED.findall(plain)) > 1


def _says_counter(plain: str) -> bool:
    return re.search(_COUNTER_NAMED.replace(" ", r"\W+"), plain, re.IGNORECASE) is not None


def _withdrawn(plain: str, opening: str) -> tuple[Kind, Kind] | None:
    found = next((one for one in _WITHDRAWN.finditer(opening) if not _reserved(opening, one)), None)
    if found is None:
        return None
    if _is_notice(plain) and found.start() > _HEAD:
        return None
    if _says_counter(opening[found.start() : found.end() + 30]):
        return Kind.COUNTER_RETRACTION, Kind.COUNTER
    if _COUNTER_STATED.search(plain) and not _GIVEN_BACK.search(opening):
        return None
    return Kind.RETRACTION, Kind.TAKEDOWN


def _reserved(opening: str, found: re.Match[str]) -> bool:
    before = opening[max(found.start() - 60, 0) : found.start()].rpartition(". ")[2]
    return _RESERVED.search(before + opening[found.start() : found.end()]) is not None


def _is_notice(plain: str) -> bool:
    """Say whether the statements of a first notice are there, which a retraction has no need of."""
    return (
        len(_TAKEDOWN_STATED.findall(plain)) > 1 and re.search("perjury|good.faith", plain, re.IGNORECASE) is not None
    )


def _is_counter(plain: str, opening: str) -> bool:
    stated = len({found[0].lower() for found in _COUNTER_STATED.finditer(plain)})
    if _NOT_AUTHORISED.search(plain) and not _MISTAKE_SWORN.search(plain):
        return False
    names_itself = _COUNTER_NAMES_ITSELF.search(opening[:_HEAD]) or _COUNTER_BEGINS.match(opening)
    named = bool(names_itself) + bool(_COUNTER_GUIDE.search(plain))
    asked = bool(_ASKED_BACK.search(opening))
    accuses = not stated and _TAKEDOWN_STATED.search(plain) is not None
    weight = 2 * min(stated, 2) + 2 * named + asked - accuses
    return weight >= 2
