"""The whole story: from a ring that copies to a signal that is taken back, in two minutes.

A town lives at a gate; a ring divides the catalogue among its accounts, and is slowed and held.  What it has by
then turns up on a mirror, encoded anew, beside a list of metadata.  All that follows is done by the commands that
anybody could type, and is printed as such.

What only a story has is simulated, and nothing else: the town, the sound (:mod:`riparian.sim.music`), who re-encodes
and publishes, the two people who sign, and the letter that comes in.  Everything happens on this machine.
"""
