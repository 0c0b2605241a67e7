"""What does a letter that came in say: what is it, of whom, about what, and which elements does it have?

:func:`read` takes any of them.  What it says is in the model in which we write (:mod:`riparian.cases.notice`), with a
place in the text for every element that was found, and every element that was not is said to be missing.
"""

from riparian.cases.reading.seen import Answer, Form, Read, Seen, Standing
from riparian.cases.reading.sniff import read

__all__ = ["Answer", "Form", "Read", "Seen", "Standing", "read"]
