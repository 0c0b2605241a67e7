"""How do two renditions of a recording come to lie in a folder, so that an edge need only choose?

:mod:`.coding` encodes sound once, from its beginning to its end, in blocks that stand for themselves; :mod:`.cmaf`
packs them into the chunks of fragmented MP4; :mod:`.folder` cuts both renditions at the same places, pads them to the
same lengths, and writes them with their playlist; :mod:`.joins` hears what going over from one to the other costs.
"""
