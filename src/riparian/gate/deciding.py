"""How is one request decided, in a compiled function?

The checks of :mod:`riparian.gate.admit`, in their order, on the tables of :mod:`riparian.gate.ledger` and
:mod:`riparian.gate.seen`, with the arithmetic of :mod:`riparian.gate.tokens` and :mod:`riparian.gate.limits`.
An answer is one whole number; a request that is refused leaves everything as it was.
"""

from typing import Any, Final

import numpy as np
from numba import carray, njit, types  # type: ignore[attr-defined]
from numba.extending import intrinsic
from numpy.typing import NDArray

from riparian.gate import limits, tokens
from riparian.gate.ledger import (
    AT,
    CODE,
    COLUMNS,
    CREATED,
    EXEMPT_UNTIL,
    LEVEL,
    NOBODY,
    PAID_UNTIL,
    PARENT,
    PRICE,
    RESTRAINT,
    ROWS_AT,
    ROWS_LEVEL,
    UNTIL,
    parent_code,
    place,
    row_of,
)
from riparian.gate.seen import COUNT, MOST, STATE, had, pair_code, place_of, put
from riparian.gate.tokens import HOUSEHOLD, LATEST_US, PARENT_DAYS, UNKNOWN_US, Ints
from riparian.schema import DAY_US

# Terms: the state of the set of what was had, then these.
N_ROWS: Final = STATE
MOST_ROWS: Final = STATE + 1
BURST: Final = STATE + 2
PER_DAY: Final = STATE + 3
ROWS_BURST: Final = STATE + 4
ROWS_PER_DAY: Final = STATE + 5
PARENT_CAP: Final = STATE + 6
INTERVAL: Final = STATE + 7
REQUESTS: Final = STATE + 8
SHADOWED: Final = STATE + 9
"""One bit a rule that is computed and not applied."""
PREVIEWS: Final = STATE + 10
WAIT: Final = STATE + 11
"""Of the last request that was refused: microseconds after which to come again, 0 for no such time."""
ROW: Final = STATE + 12
"""Of the last request that was charged: the row of its account, and of its parent or -1."""
UP: Final = STATE + 13
N_CHARGES: Final = STATE + 14
NEW: Final = STATE + 15
"""Of the last request that was charged: the recording, where it was new to the account, else 0."""
_TOUCHED: Final = STATE + 16
COUNTS: Final = STATE + 17
"""From here on: how often each answer was given."""

# Rules by number, as in riparian.gate.admit.Rule.
NONE: Final = 0
EVIDENCE: Final = 1
NOVELTY: Final = 2
PARENTS: Final = 3
METADATA_ROWS: Final = 4
LIMIT: Final = 5
PERSON: Final = 6

SLOW: Final = 1
STEP_UP: Final = 2

MEDIA: Final = 0
METADATA: Final = 2

# An answer: the rule that refused (3 bits), the rule that would have (3), the restraint (3), and flags.
WOULD: Final = 3
ACTION: Final = 6
PREVIEW: Final = 1 << 9
MARKED: Final = 1 << 10
CHARGED: Final = 1 << 11
SETTLED: Final = 1 << 12
KIND: Final = 13
ANSWERS: Final = 1 << 15
TERMS: Final = COUNTS + ANSWERS
GROW: Final = -1

CHARGE: Final = 11
"""Numbers of a charge: recording, code, made, level, at, rows level, rows at, price, parent, its level, its at."""
_WINDOW: Final = 32
_NEAR: Final = 1 << 20
_MARGIN: Final = 8


@njit(cache=True, nogil=True, forceinline=True)
def _shadowed(terms, rule):  # type: ignore[no-untyped-def]
    return (terms[SHADOWED] >> rule) & 1 == 1


@njit(cache=True, nogil=True, forceinline=True)
def _missing(wanted, level, per_day):  # type: ignore[no-untyped-def]
    # Microseconds until a level is there; a day where it never is.
    return (wanted - level + per_day - 1) // per_day if per_day > 0 else DAY_US


@njit(cache=True, nogil=True, forceinline=True)
def _level(rows, row, now, terms):  # type: ignore[no-untyped-def]
    return tokens.level_at(now, terms[BURST], terms[PER_DAY], rows[row, CREATED], rows[row, LEVEL], rows[row, AT])


@njit(cache=True, nogil=True, forceinline=True)
def _half_used(rows, row, now, terms):  # type: ignore[no-untyped-def]
    level, at = rows[row, LEVEL], rows[row, AT]
    # Who never drew is full, and what was drawn since only grew back: mostly there is nothing to work out.
    if at == UNKNOWN_US or 2 * level >= terms[BURST] * DAY_US:
        return False
    at = max(now, at)
    known = rows[row, CREATED] != UNKNOWN_US
    age = at - rows[row, CREATED] if known else tokens.NEWCOMER_DAYS * DAY_US
    return 2 * _level(rows, row, at, terms) < tokens.most(age, terms[BURST])


@njit(cache=True, nogil=True, forceinline=True)
def _parent_of(rows, row, now):  # type: ignore[no-untyped-def]
    # The row that an account in its first thirty days draws on as well; -1 for none.
    created, code = rows[row, CREATED], np.uint64(rows[row, PARENT])
    if code == 0 or created == UNKNOWN_US or now - created >= PARENT_DAYS * DAY_US:
        return -1
    return place(rows, code)


@njit(cache=True, nogil=True, forceinline=True)
def _restrained(rows, row, now):  # type: ignore[no-untyped-def]
    # The restraint in force, and its rule; nothing against an exempt account but what a person said.
    restraint, by = rows[row, RESTRAINT] & 7, rows[row, RESTRAINT] >> 3
    over = rows[row, UNTIL] != 0 and rows[row, UNTIL] <= now
    if over or (by != PERSON and now < rows[row, EXEMPT_UNTIL]):
        return 0, NONE
    return restraint, by


@njit(cache=True, nogil=True, forceinline=True)
def _stopped(rows, row, now, terms, restraint, by):  # type: ignore[no-untyped-def]
    # What needs no look at what is asked for: who is restrained, and who asks too fast.  Rule, action, wait, would.
    would = NONE
    if restraint >= STEP_UP:
        if not _shadowed(terms, by):
            return by, restraint, max(rows[row, UNTIL] - now, 0), NONE
        would = by
    rows[row, PAID_UNTIL] = limits.within(rows[row, PAID_UNTIL], now, terms[INTERVAL], terms[REQUESTS])
    wait = limits.wait_us(rows[row, PAID_UNTIL], now, terms[INTERVAL], terms[REQUESTS])
    if wait > 0:
        if not _shadowed(terms, LIMIT):
            return LIMIT, SLOW, wait, NONE
        would = LIMIT if would == NONE else would
    return NONE, 0, 0, would


@njit(cache=True, nogil=True, forceinline=True)
def _draw(rows, row, up, now, terms):  # type: ignore[no-untyped-def]
    # Draw a recording from the account's bucket and its parent's, from both or none; the rule, and the wait.
    level, price = _level(rows, row, now, terms), rows[row, PRICE]
    if level < price:
        return NOVELTY, _missing(price, level, terms[PER_DAY])
    rule, wait = NONE, 0
    if up >= 0:
        per_day = HOUSEHOLD * terms[PER_DAY]
        shared = tokens.plain_level_at(now, terms[PARENT_CAP], per_day, rows[up, LEVEL], rows[up, AT])
        if shared < DAY_US:
            rule, wait = PARENTS, _missing(DAY_US, shared, per_day)
        else:
            rows[up, LEVEL], rows[up, AT] = shared - DAY_US, max(rows[up, AT], now)
    # Served in shadow although the parent is empty, it is paid for by the account all the same.
    if rule == NONE or _shadowed(terms, PARENTS):
        rows[row, LEVEL], rows[row, AT] = level - price, max(rows[row, AT], now)
    return rule, wait


@njit(cache=True, nogil=True, forceinline=True)
def _draw_rows(rows, row, now, wanted, terms):  # type: ignore[no-untyped-def]
    # Draw rows of metadata, all or none; how long to wait for them, 0 where they were there.
    burst, per_day = terms[ROWS_BURST], terms[ROWS_PER_DAY]
    if wanted > burst:
        return DAY_US
    level = tokens.plain_level_at(now, burst * DAY_US, per_day, rows[row, ROWS_LEVEL], rows[row, ROWS_AT])
    if level < wanted * DAY_US:
        return _missing(wanted * DAY_US, level, per_day)
    rows[row, ROWS_LEVEL], rows[row, ROWS_AT] = level - wanted * DAY_US, max(rows[row, ROWS_AT], now)
    return 0


@njit(cache=True, nogil=True, forceinline=True)
def _charged(rows, row, up, now, terms, slowed_by, novel, n_rows):  # type: ignore[no-untyped-def]
    # Charge what is asked for, as far as it goes; the rule that refuses, the wait, and the rule that would have.
    exempt, would = now < rows[row, EXEMPT_UNTIL], NONE
    if novel and slowed_by != NONE:
        if not _shadowed(terms, slowed_by):
            return slowed_by, max(rows[row, UNTIL] - now, 0), NONE
        would = slowed_by
    if novel and not exempt:
        rule, wait = _draw(rows, row, up, now, terms)
        if rule != NONE:
            if not _shadowed(terms, rule):
                return rule, wait, NONE
            would = rule if would == NONE else would
    if n_rows > 0 and not exempt:
        wait = _draw_rows(rows, row, now, n_rows, terms)
        if wait > 0:
            if not _shadowed(terms, METADATA_ROWS):
                return METADATA_ROWS, wait, NONE
            would = METADATA_ROWS if would == NONE else would
    return NONE, 0, would


@njit(cache=True, nogil=True, forceinline=True)
def _levels(rows, row, up):  # type: ignore[no-untyped-def]
    above = max(up, 0)
    return (
        rows[row, LEVEL],
        rows[row, AT],
        rows[row, ROWS_LEVEL],
        rows[row, ROWS_AT],
        rows[above, LEVEL],
        rows[above, AT],
    )


@njit(cache=True, nogil=True, forceinline=True)
def _restore(rows, row, up, levels):  # type: ignore[no-untyped-def]
    if up >= 0:
        rows[up, LEVEL], rows[up, AT] = levels[4], levels[5]
    rows[row, LEVEL], rows[row, AT], rows[row, ROWS_LEVEL], rows[row, ROWS_AT] = levels[:4]


@njit(cache=True, nogil=True, forceinline=True)
def _pay(rows, row, now, terms):  # type: ignore[no-untyped-def]
    rows[row, PAID_UNTIL] = limits.paid_until(rows[row, PAID_UNTIL], now, terms[INTERVAL])


@njit(cache=True, nogil=True, forceinline=True)
def decide(rows, newest, older, terms, account, recording, kind, at_us, n_rows):  # type: ignore[no-untyped-def]
    """Decide one request, charge it if it is served, and count the answer.

    Parameters
    ----------
    rows, newest, older
        The ledger, and the set of what was had; changed in place.
    terms
        The numbers of the policy and of the tables' state; changed in place [shape=(TERMS,)].
    account, recording, kind, at_us, n_rows
        The request.

    Returns
    -------
    int
        The answer, or ``GROW`` when a table is full and nothing was done.
    """
    if terms[N_ROWS] >= terms[MOST_ROWS] or terms[COUNT] + _MARGIN >= terms[MOST]:
        return GROW
    answer = _answer(rows, newest, older, terms, account, recording, kind, at_us, n_rows)
    terms[COUNTS + answer] += 1
    return answer


@njit(cache=True, nogil=True, forceinline=True)
def _answer(rows, newest, older, terms, account, recording, kind, at_us, n_rows):  # type: ignore[no-untyped-def]
    now, code, of_kind = min(max(at_us, 0), LATEST_US), np.uint64(0), kind << KIND
    who = max(np.uint64(account), NOBODY)
    row, made = row_of(rows, who)
    terms[N_ROWS] += made
    restraint, by = _restrained(rows, row, now)
    rule, action, wait, would = _stopped(rows, row, now, terms, restraint, by)
    if rule != NONE:
        terms[WAIT] = wait
        return rule | action << ACTION | of_kind

    asked = recording != 0 and kind != METADATA
    if asked:
        code = pair_code(who, recording)
    novel = asked and not had(newest, older, terms, code)
    up = _parent_of(rows, row, now) if novel else -1
    levels = _levels(rows, row, up)
    slowed_by = by if restraint == SLOW else NONE
    rule, wait, would_charge = _charged(rows, row, up, now, terms, slowed_by, novel, n_rows)
    if rule != NONE:
        _restore(rows, row, up, levels)
        terms[WAIT] = wait
        if kind == MEDIA and rule != METADATA_ROWS and terms[PREVIEWS] != 0:
            _pay(rows, row, now, terms)
            return rule | SLOW << ACTION | PREVIEW | of_kind
        return rule | SLOW << ACTION | of_kind

    _pay(rows, row, now, terms)
    answer = (would_charge if would == NONE else would) << WOULD | of_kind
    if novel or n_rows > 0:
        terms[ROW], terms[UP], terms[NEW] = row, up, np.int64(recording) if novel else 0
        answer |= CHARGED
    if novel and put(newest, older, terms, code):
        answer |= SETTLED
    exempt = now < rows[row, EXEMPT_UNTIL]
    if asked and not exempt and not _shadowed(terms, NOVELTY) and _half_used(rows, row, now, terms):
        answer |= MARKED
    return answer


ADDRESSES: Final = 7
"""Numbers that say where the tables are: of rows, newest and older each the address and the length, and of terms.

Handing four arrays to a compiled function takes longer than a decision, and handing them on, as long again: each is
counted as held, atomically.  So a decision is handed one number."""
SIGNATURE: Final = "int64(int64,uint64,uint64,int64,int64,int64)"


def addresses(rows: Ints, newest: NDArray[np.uint64], older: NDArray[np.uint64], terms: Ints) -> Ints:
    """Say where tables are, for :func:`decide_at`, for as long as somebody holds them [shape=(ADDRESSES,)]."""
    places = [(table.ctypes.data, len(table)) for table in (rows, newest, older)]
    return np.array([*places[0], *places[1], *places[2], terms.ctypes.data], np.int64)


@intrinsic
def _pointer(_typing: Any, address: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], context.get_value_type(signature.return_type))

    return types.voidptr(address), make


@njit(cache=True, nogil=True, forceinline=True)
def _tables(at):  # type: ignore[no-untyped-def]
    where = carray(_pointer(at), ADDRESSES, np.int64)  # type: ignore[call-arg]
    rows = carray(_pointer(where[0]), (where[1], COLUMNS), np.int64)
    newest = carray(_pointer(where[2]), where[3], np.uint64)
    older = carray(_pointer(where[4]), where[5], np.uint64)
    return rows, newest, older, carray(_pointer(where[6]), TERMS, np.int64)


@njit(cache=True)
def decide_at(at, account, recording, kind, at_us, n_rows):  # type: ignore[no-untyped-def]
    """Decide one request that Python asks about; see :func:`decide`.

    Parameters
    ----------
    at
        The address of what :func:`addresses` gave.
    """
    rows, newest, older, terms = _tables(at)
    return decide(rows, newest, older, terms, account, recording, kind, at_us, n_rows)


@njit(cache=True, nogil=True, forceinline=True)
def status_of(answer):  # type: ignore[no-untyped-def]
    """Tell the status of HTTP that an answer means."""
    action = (answer >> ACTION) & 7
    if answer & 7 == NONE or answer & PREVIEW:
        return 200
    return 429 if action == SLOW else (401 if action == STEP_UP else 403)


@njit(cache=True, nogil=True, forceinline=True)
def note(rows, terms, charges):  # type: ignore[no-untyped-def]
    """Note what the last request that was charged has left, where there is room [shape=(charges, CHARGE)]."""
    at, row, up = terms[N_CHARGES], terms[ROW], terms[UP]
    charges[at, 0] = terms[NEW]
    for i in range(8):
        charges[at, 1 + i] = rows[row, i]
    charges[at, 9] = rows[up, LEVEL] if up >= 0 else 0
    charges[at, 10] = rows[up, AT] if up >= 0 else UNKNOWN_US
    terms[N_CHARGES] += 1


@njit(cache=True, nogil=True)
def _touch(rows, newest, older, account, recording, begin, end):  # type: ignore[no-untyped-def]
    # Asks for the memory of many requests at once, so that it is near when they are decided one by one.
    touched = np.int64(0)
    for i in range(begin, end):
        who = max(account[i], NOBODY)
        row, code = place_of(who, rows.shape[0]), pair_code(who, recording[i])
        touched += rows[row, CODE] + rows[row, PAID_UNTIL] + np.int64(newest[place_of(code, newest.size)])
        if older.size > 0:
            touched += np.int64(older[place_of(code, older.size)])
    return touched


@njit(cache=True, nogil=True)
def decide_many(at, account, recording, kind, at_us, n_rows, status, rules, charges, begin):  # type: ignore[no-untyped-def]
    """Decide requests in their order, from one on; the next one, where a table is full.

    Parameters
    ----------
    at
        As of :func:`decide_at`.
    account, recording, kind, at_us, n_rows
        The requests [shape=(requests,)].
    status, rules
        Filled in [shape=(requests,)].
    charges
        See :func:`note`; none are noted where it has no room at all.
    begin
        The first request to decide.
    """
    rows, newest, older, terms = _tables(at)
    for i in range(begin, account.size):
        if (i - begin) % _WINDOW == 0 and rows.size + newest.size > _NEAR:
            end = min(i + _WINDOW, account.size)
            terms[_TOUCHED] = _touch(rows, newest, older, account, recording, i, end)
        if len(charges) > 0 and terms[N_CHARGES] == len(charges):
            return i
        answer = decide(rows, newest, older, terms, account[i], recording[i], np.int64(kind[i]), at_us[i], n_rows[i])
        if answer == GROW:
            return i
        if answer & CHARGED and len(charges) > 0:
            note(rows, terms, charges)
        status[i] = status_of(answer)
        rules[i] = answer & 7
    return account.size


@njit(cache=True, nogil=True)
def take_up(rows, newest, older, terms, charges, begin):  # type: ignore[no-untyped-def]
    """Put charges back that were noted, from one on; the next one, where a table is full."""
    for i in range(begin, len(charges)):
        if terms[N_ROWS] + 1 >= terms[MOST_ROWS] or terms[COUNT] + _MARGIN >= terms[MOST]:
            return i
        row, made = row_of(rows, np.uint64(charges[i, 1]))
        terms[N_ROWS] += made
        for k in range(1, 8):
            rows[row, k] = charges[i, 1 + k]
        if charges[i, 10] != UNKNOWN_US:
            up, made = row_of(rows, np.uint64(charges[i, 8]))
            terms[N_ROWS] += made
            rows[up, LEVEL], rows[up, AT] = charges[i, 9], charges[i, 10]
        recording = np.uint64(charges[i, 0])
        code = pair_code(np.uint64(charges[i, 1]), recording)
        if recording != 0 and not had(newest, older, terms, code):
            put(newest, older, terms, code)
    return len(charges)


@njit(cache=True, nogil=True)
def enrol(rows, terms, codes, created_us, prices, parents):  # type: ignore[no-untyped-def]
    """Give accounts and their parents rows; what was known of an account's creation stays [each shape=(accounts,)]."""
    for i in range(codes.size):
        row, made = row_of(rows, max(codes[i], NOBODY))
        terms[N_ROWS] += made
        if rows[row, CREATED] == UNKNOWN_US:
            rows[row, CREATED] = created_us[i]
        rows[row, PRICE] = prices[i]
        up = parent_code(parents[i])
        rows[row, PARENT] = np.int64(up)
        if up != 0:
            _, made = row_of(rows, up)
            terms[N_ROWS] += made


@njit(cache=True, nogil=True)
def restrain(rows, terms, codes, restraints, until_us):  # type: ignore[no-untyped-def]
    """Put accounts under restraints, each with eight times its rule [each shape=(accounts,)]."""
    for i in range(codes.size):
        row, made = row_of(rows, max(codes[i], NOBODY))
        terms[N_ROWS] += made
        rows[row, RESTRAINT], rows[row, UNTIL] = restraints[i], until_us[i]


@njit(cache=True, nogil=True)
def exempt_until(rows, terms, codes, until_us):  # type: ignore[no-untyped-def]
    """Let accounts be until a time [each shape=(accounts,)]."""
    for i in range(codes.size):
        row, made = row_of(rows, max(codes[i], NOBODY))
        terms[N_ROWS] += made
        rows[row, EXEMPT_UNTIL] = until_us[i]
