"""Which law or policy asks what, and by when?

Each regime is a file of data beside this one: the elements that it asks of a letter, its clocks, what it says without
a number, where that is written, when somebody last read it there, what could not be read, and when it is to be read
again.  A law that changes is a change of data.  What a host promises is a policy and never called a law.
"""

from riparian.cases.regimes.read import REGIMES, Clock, Duty, Regime, Unit, parse_regime, policies_of, regime_of

__all__ = ["REGIMES", "Clock", "Duty", "Regime", "Unit", "parse_regime", "policies_of", "regime_of"]
