"""How is it written when a list was taken?"""

from datetime import date

from riparian.metadata.taken import Taken


def when_taken(taken: Taken | None, latest: date | None) -> str:
    """Write it as sentences; nothing where nothing is known.

    Parameters
    ----------
    taken
        What the days tell on which recordings of ours were added.
    latest
        The latest day that the list itself names.

    Examples
    --------
    >>> when_taken(Taken(date(2024, 4, 30), date(2024, 4, 28), date(2024, 5, 1), 0.0, False), None)
    'The list was taken about 2024-04-30, between 2024-04-28 and 2024-05-01.'
    >>> when_taken(Taken(date(2024, 4, 30), date(2024, 4, 28), date(2024, 5, 1), 0.0, True), date(2024, 5, 2))
    'The list was taken no earlier than 2024-04-28. The latest day in it is 2024-05-02.'
    """
    said = []
    if taken is not None and taken.is_open:
        said.append(f"The list was taken no earlier than {taken.low}.")
    elif taken is not None:
        long = f", in some {taken.days:.0f} days" if taken.days >= 2 else ""
        said.append(f"The list was taken about {taken.estimate}{long}, between {taken.low} and {taken.high}.")
    if latest is not None:
        said.append(f"The latest day in it is {latest}.")
    return " ".join(said)
