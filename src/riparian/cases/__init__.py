"""From a copy that was found to its removal, and back when it was wrong: cases, their clocks, notices and rails.

A case is a fold over events that are signed and never change (:mod:`riparian.cases.case`).  A notice is drafted from
the facts of a case, passes rails, and leaves only with the signature of a person under exactly what leaves.
"""
