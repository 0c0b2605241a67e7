"""In how many ways is a reservation said to machines, and do they say the same?

A module a form: the IETF's Content-Usage (:mod:`.aipref`), robots.txt around it (:mod:`.robots`), W3C's TDMRep
(:mod:`.tdmrep`), RSL (:mod:`.rsl`), ai.txt (:mod:`.aitxt`), CAWG's assertion in a sound file (:mod:`.cawg`).  Each
writes what the ledger decides and reads what a site says.  What they mean is put on one scale in :mod:`.says`;
:mod:`.compare` looks for two that contradict each other; :mod:`.emit` writes them all.
"""
