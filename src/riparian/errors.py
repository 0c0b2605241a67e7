"""Everything that can go wrong, by who can put it right.

::

    RiparianError
    |-- InputError       the sender of a record or file can put it right
    |-- PolicyError      the operator can, in the policy file
    |-- LifecycleError   the caller asked for a step that the state forbids (and nothing changed)
    |-- CustodyError     the record has been altered; stop and look
    `-- OutsideError     a port failed; the cause is chained; trying again may help

A message says what was found, then what was wanted: lower case, no final stop, names in
backticks.  It shows the value unless the value identifies a person.  The hint is an imperative
sentence; the command line prints it under the message.  The library itself never prints.
"""


class RiparianError(Exception):
    """Any error that Riparian raises on purpose.

    Parameters
    ----------
    message
        What was found, and what was wanted.
    hint
        What to do about it, as an imperative sentence; may be empty.

    Examples
    --------
    >>> error = InputError("`at` is `yesterday`, wanted an ISO 8601 time", hint="Name the column with --map at=...")
    >>> error.message, error.hint
    ('`at` is `yesterday`, wanted an ISO 8601 time', 'Name the column with --map at=...')
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(RiparianError):
    """A record or a file is not what it should be; its sender can put it right."""


class PolicyError(RiparianError):
    """The policy contradicts itself or cannot be met; the operator can put it right."""


class LifecycleError(RiparianError):
    """The state forbids this step; nothing has changed."""


class CustodyError(RiparianError):
    """A record has been altered since it was written; stop and look."""


class OutsideError(RiparianError):
    """Something behind a port failed; the cause is chained and trying again may help."""
