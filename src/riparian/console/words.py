"""How is a number, a time or a name written, so that a person reads it right and nothing else?

Conventions
-----------
* Times are UTC and say so; days are ISO dates.
* A chance is written as *1 in n*, rounded so that it never looks smaller than it is.
* Text that came from outside (identifiers, file names, lines of a log) passes :func:`visible`: what
  steers a terminal or turns the direction of writing is shown as its escape, so that no account can
  choose what a reader sees.
"""

import math
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SUPERSCRIPT: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS: Final = "\N{MINUS SIGN}"
_PLAIN_MAX: Final = 10**9
_CUT: Final = 160
_NOTICED: Final = 0.1
"""Per cent of speed, or semitones."""
_CHANCES: Final = "an account of a declared kind comes this far"


def count(number: float) -> str:
    """Write a whole number.

    Examples
    --------
    >>> count(86_000_000)
    '86,000,000'
    """
    return f"{round(number):,}"


def counted(number: float, noun: str, plural: str = "") -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "account"), counted(0, "account"), counted(2, "more play", "more plays")
    ('1 account', '0 accounts', '2 more plays')
    """
    return f"{count(number)} {noun if round(number) == 1 else plural or noun + 's'}"


def percent(ratio: float) -> str:
    """Write a share: two digits that matter, and never 0 for what is not 0.

    Examples
    --------
    >>> percent(0.0), percent(0.000_01), percent(0.0042), percent(0.317), percent(0.99996), percent(1)
    ('0 %', 'under 0.01 %', '0.42 %', '32 %', 'over 99.9 %', '100 %')
    """
    if math.isnan(ratio):
        return "unknown"
    if ratio <= 0 or ratio >= 1:
        return f"{ratio * 100:.0f} %"
    if ratio < 0.000_1:
        return "under 0.01 %"
    if ratio > 0.999:
        return "over 99.9 %"
    digits = max(0, 1 - math.floor(math.log10(ratio * 100)))
    if ratio > 0.99:
        digits = 1
    return f"{ratio * 100:.{digits}f} %"


def bits(value: float) -> str:
    r"""Write bits with one digit.

    Examples
    --------
    >>> bits(13.28), bits(-0.04), bits(41.96), bits(float("-inf"))
    ('13.3', '0.0', '42.0', 'none')
    >>> bits(-2.5) == "\N{MINUS SIGN}2.5"
    True
    """
    if math.isinf(value):
        return "none" if value < 0 else "any"
    return f"{round(value, 1) + 0.0:.1f}".replace("-", MINUS)


def exact_bits(value: float) -> str:
    r"""Write bits of the grid of 1/1024 with a sign and all that is needed to add them up by hand.

    Examples
    --------
    >>> exact_bits(13.287109375), exact_bits(0.0)
    ('+13.287', '+0.000')
    >>> exact_bits(-0.5) == "\N{MINUS SIGN}0.500"
    True
    """
    return f"{value + 0.0:+.3f}".replace("-", MINUS)


def chance(alpha: float | None) -> str:
    """Write a chance as *1 in n*, rounded towards the larger chance.

    Examples
    --------
    >>> chance(2**-13.3), chance(2**-41.4), chance(1.0), chance(0.4), chance(None), chance(0.0)
    ('1 in 10,000', '1 in 2.9 × 10¹²', '1 in 1', '1 in 2', 'none', 'under 1 in 10³⁰⁰')
    """
    if alpha is None or math.isnan(alpha):
        return "none"
    if alpha < 1e-300:
        return "under 1 in 10³⁰⁰"
    odds = 1 / min(alpha, 1.0)
    power = math.floor(math.log10(odds))
    if odds >= _PLAIN_MAX:
        head = math.floor(odds / 10.0 ** (power - 1)) / 10
        return f"1 in {head:.1f} × 10{str(power).translate(_SUPERSCRIPT)}"
    step = 10 ** max(0, power - 1)
    return f"1 in {math.floor(odds / step) * step:,}"


def moment(at_us: int) -> str:
    """Write a time to the minute.

    Examples
    --------
    >>> moment(1_772_622_000_000_000)
    '2026-03-04 11:00 UTC'
    """
    return _at(at_us).strftime("%Y-%m-%d %H:%M UTC") if _is_time(at_us) else "unknown"


def day(at_us: int) -> str:
    """Write the day of a time.

    Examples
    --------
    >>> day(1_772_622_000_000_000), day(2**63 - 1)
    ('2026-03-04', 'unknown')
    """
    return _at(at_us).strftime("%Y-%m-%d") if _is_time(at_us) else "unknown"


def until(at_us: int) -> str:
    """Write the day on which something ends by itself; what no calendar holds never does.

    Examples
    --------
    >>> until(1_772_622_000_000_000), until(2**62)
    ('2026-03-04', 'no end by itself')
    """
    return day(at_us) if _is_time(at_us) else "no end by itself"


def visible(text: str, *, longest: int = _CUT) -> str:
    r"""Show text from outside as what it is: control, format and unpaired characters as escapes, cut at a length.

    Examples
    --------
    >>> visible("plain id"), visible("red\x1b[31m"), visible("evil\u202egpj.exe"), visible("x" * 9, longest=5)
    ('plain id', 'red\\x1b[31m', 'evil\\u202egpj.exe', 'xxxx…')
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return "".join(c if _is_plain(c) else c.encode("unicode_escape").decode("ascii") for c in text)


def _is_plain(character: str) -> bool:
    if character == " ":
        return True
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def clock(seconds: float) -> str:
    """Write a time within a recording.

    Examples
    --------
    >>> clock(0), clock(83.46), clock(3725.04)
    ('0:00.0', '1:23.5', '1:02:05.0')
    """
    tenths = round(10 * max(0.0, seconds))
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02d}.{rest % 10}"


def changed(speed: float, semitones: float) -> str:
    """Say what was done to the speed and the pitch of sound, where it can be noticed.

    Examples
    --------
    >>> changed(1.0399, 0.98), changed(0.95, -0.89), changed(1.0001, 0.0)
    ('4.0 % faster, 1.0 semitones up', '5.0 % slower, 0.9 semitones down', '')
    """
    percent = 100 * (speed - 1)
    said = [f"{abs(percent):.1f} % {'faster' if percent > 0 else 'slower'}"] if abs(percent) >= _NOTICED else []
    said += (
        [f"{abs(semitones):.1f} semitones {'up' if semitones > 0 else 'down'}"] if abs(semitones) >= _NOTICED else []
    )
    return ", ".join(said)


def _at(at_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=int(at_us))


def _is_time(at_us: int) -> bool:
    return 0 < at_us < 250_000_000_000_000_000


def listed(words: list[str]) -> str:
    """Join words as in a sentence.

    Examples
    --------
    >>> listed([]), listed(["slow"]), listed(["slow", "step up", "hold"])
    ('', 'slow', 'slow, step up and hold')
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def reasons(because: Sequence[str]) -> list[str]:
    """Leave out of a decision's reasons the sentence on its chances, where those have a place of their own.

    Examples
    --------
    >>> reasons(["takes sound that nothing plays", "an account of a declared kind comes this far with a chance of ..."])
    ['takes sound that nothing plays']
    """
    return [why for place, why in enumerate(because) if not (place and why.startswith(_CHANCES))]
