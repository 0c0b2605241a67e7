"""Verb of ``riparian case`` for a deadline by itself: of which regime, from when, by which calendar, in which zone."""

from typing import Annotated

import typer

from riparian.cases.clocks import due
from riparian.cases.plain import moment, when
from riparian.cases.regimes import REGIMES, regime_of
from riparian.cli import lines, options
from riparian.cli.cased import say_deadline
from riparian.flows.case_told import days_of

Regime = Annotated[str, typer.Argument(metavar="REGIME", help=f"A law or a policy: {', '.join(REGIMES)}.")]
Named = Annotated[str, typer.Argument(metavar="CLOCK", help="One of its clocks, as in restore; a wrong one tells all.")]
Received = Annotated[str, typer.Option("--received", metavar="TIME", help="When it was received, with its zone.")]
Calendar = Annotated[
    str,
    typer.Option(
        "--calendar",
        metavar="PLACE",
        help="Whose business days: US, US-CA, EU, DE, DE-BY.",
        show_default="the regime's",
    ),
]
Zone = Annotated[
    str,
    typer.Option(
        "--zone",
        metavar="ZONE",
        help="Whose days, as in America/New_York: where it was received.",
        show_default="the regime's",
    ),
]


def clock(
    regime: Regime,
    clock: Named,
    received: Received,
    calendar: Calendar = "",
    zone: Zone = "",
    json: options.Json = False,
) -> None:
    """Count a deadline, and say what was counted; nothing is written down."""
    law = regime_of(regime)
    said, at = law.named(clock), when(received)
    deadline = due(regime, clock, at, calendar or law.calendar, zone or law.zone)
    if json:
        head = {"kind": "deadline", "clock": f"{regime}.{clock}", "received": moment(at)}
        lines.write([{**head, "whose": said.whose, "what": said.what, **days_of(deadline)}])
        return
    say_deadline(said, deadline)
