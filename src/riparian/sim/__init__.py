"""A town of listeners and copiers, drawn from one seed; it makes events, never requests.

Two levels tell the same story.  :func:`riparian.sim.town.days` counts: who played how much on which
day, and how much of it was new to them.  :mod:`riparian.sim.events` plays those counts out as accesses
with recordings, times, sessions and devices, and agrees with them exactly.
"""
