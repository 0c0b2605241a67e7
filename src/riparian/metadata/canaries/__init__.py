"""To whom was the list issued that this one was made from?

Everybody who is given the catalogue as a list gets one of their own.  It differs from anybody else's in things that do
no harm: on which side of a half second a duration falls, how a title that can be written in two ways is written, which
of a few rows that stand for nothing are in it.  Each such thing is a *cell*; which of its two forms a tenant gets is
one bit, drawn by a secret key.

=========================================  =============================================================
:mod:`~riparian.metadata.canaries.code`     the key, and the bits of tenants
:mod:`~riparian.metadata.canaries.text`     the ways in which a text can be written
:mod:`~riparian.metadata.canaries.seconds`  the sides on which a duration can fall
:mod:`~riparian.metadata.canaries.rows`     rows that stand for nothing
:mod:`~riparian.metadata.canaries.issue`    the list of one tenant
:mod:`~riparian.metadata.canaries.read`     what a list that was found has in each cell
:mod:`~riparian.metadata.canaries.trace`    to whom it was issued, and how surely
=========================================  =============================================================

A list that was found is matched with ours first (:mod:`riparian.metadata.records`): identifiers are not needed here,
nor is the order of rows.
"""
