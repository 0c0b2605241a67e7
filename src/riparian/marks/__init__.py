"""To whom was this copy issued?

A mark is a change of loudness too small to hear, in a secret pattern of bands and times, whose signs spell a code word
that belongs to one account.  We own the original, so that reading a mark is a comparison, not a guess: see
``docs/explain/marks.md``.

The way through the room: :mod:`.keys` gives named secret streams; :mod:`.layout` says which tiles of the sound carry
which bit; :mod:`.code` gives an account its bits; :mod:`.embed` puts them into sound; :mod:`.align` finds where in the
original a copy lies; :mod:`.detect` reads soft bits; :mod:`.trace` says for which account they speak, and how surely.
"""
