"""What do messages of the trade say that we hold, and on which terms?

Release messages (DDEX ERN 3.3 to 4.3) and messages about resources (MEAD) are read part by part; what is taken of each
is what a catalogue keeps.  A message is an attack surface: :mod:`.parts` says what is refused of it.
"""
