"""All pages of the console, in the order of its navigation; what may be done on them, and by whom."""

from typing import Final

from riparian.console import finds
from riparian.console.page import EVERYBODY, Act, Page
from riparian.console.pages import (
    account,
    accounts,
    appeals,
    case,
    cases,
    catalogue,
    data,
    exercise,
    finding,
    found,
    looks,
    notice,
    people,
    policy,
    proposal,
    recording,
    removals,
    ring,
    rings,
    today,
    tokens,
    verify,
)
from riparian.ports.staff import Role

PAGES: Final[tuple[Page, ...]] = (
    Page("/", "Today", Role.VIEWER, today),
    Page("/accounts", "Accounts", Role.ANALYST, accounts, looks_at=accounts.seen),
    Page(
        "/account",
        "Account",
        Role.ANALYST,
        account,
        is_listed=False,
        under="/accounts",
        acts=(
            Act(
                "release", Role.ANALYST, account.release, "It is let go; what it did until now never brings this back."
            ),
            Act("extend", Role.ANALYST, account.extend, "The restraint lasts longer."),
            Act("appeal", Role.ANALYST, account.appeal, "It is taken up; somebody who had no hand in it looks again."),
            Act("propose", Role.ANALYST, account.propose, "It is proposed; somebody else approves it, or nobody does."),
        ),
        looks_at=account.seen,
    ),
    Page(
        "/appeals",
        "Appeals",
        Role.ANALYST,
        appeals,
        acts=(
            Act("uphold", Role.ANALYST, appeals.uphold, "It is left as it is; tell the listener.", wants_person=True),
            Act("reinstate", Role.ANALYST, appeals.reinstate, "It is let go; tell the listener.", wants_person=True),
            Act("approve", Role.APPROVER, appeals.approve, "It is ended; tell the listener."),
            Act("withdraw", Role.ANALYST, appeals.withdraw, "The proposal is taken back."),
        ),
        looks_at=appeals.seen,
    ),
    Page(
        "/data",
        "What is kept",
        Role.ANALYST,
        data,
        is_listed=False,
        under="/accounts",
        acts=(Act("erase", Role.APPROVER, data.erase, "It is erased.", wants_fresh=True),),
        looks_at=data.seen,
    ),
    Page("/rings", "Rings", Role.VIEWER, rings),
    Page("/ring", "Ring", Role.ANALYST, ring, is_listed=False, under="/rings", looks_at=ring.seen),
    Page("/catalogue", "Catalogue", Role.VIEWER, catalogue),
    Page("/recording", "Recording", Role.VIEWER, recording, is_listed=False, under="/catalogue"),
    Page(
        "/found",
        "Found",
        Role.ANALYST,
        found,
        acts=(
            Act("bring", Role.ANALYST, found.bring, "It is kept, and looked at.", room=finds.room),
            Act("delete", Role.ANALYST, found.delete, "It is deleted, and what was found of it, too."),
        ),
    ),
    Page(
        "/finding",
        "What was found",
        Role.ANALYST,
        finding,
        is_listed=False,
        under="/found",
        acts=(
            Act("cancel", Role.ANALYST, finding.cancel, "It is looked at no more."),
            Act("again", Role.ANALYST, finding.again, "It is looked at again."),
        ),
        looks_at=finding.seen,
        part=finding.part,
    ),
    Page("/cases", "Cases", Role.VIEWER, cases),
    Page("/case", "Case", Role.ANALYST, case, is_listed=False, under="/cases"),
    Page("/notice", "Notice", Role.ANALYST, notice, is_listed=False, under="/cases"),
    Page("/removals", "Removals", Role.VIEWER, removals),
    Page("/policy", "Policy", Role.VIEWER, policy),
    Page(
        "/proposal",
        "Proposed policy",
        Role.ANALYST,
        proposal,
        is_listed=False,
        under="/policy",
        acts=(
            Act("keep", Role.ANALYST, proposal.keep, "It was read as the policy's file is."),
            Act("drop", Role.ANALYST, proposal.drop, "Nothing is proposed any more."),
        ),
        looks_at=proposal.seen,
    ),
    Page("/exercise", "Exercise", Role.VIEWER, exercise),
    Page(
        "/people",
        "People",
        Role.ADMIN,
        people,
        acts=(
            Act("invite", Role.ADMIN, people.invite, "Invited.", wants_fresh=True),
            Act("change", Role.ADMIN, people.change, "The role is changed, and they are signed out.", wants_fresh=True),
            Act("remove", Role.ADMIN, people.remove, "They are let in no more.", wants_fresh=True),
            Act("sign-out", Role.ADMIN, people.sign_out, "They are signed out everywhere."),
        ),
    ),
    Page("/looks", "Looks", Role.ADMIN, looks),
    Page(
        "/tokens",
        "Tokens",
        Role.VIEWER,
        tokens,
        acts=(
            Act("make", Role.VIEWER, tokens.make, "The token is made.", wants_person=True, wants_fresh=True),
            Act("revoke", Role.VIEWER, tokens.revoke, "The token is good for nothing any more.", wants_person=True),
            Act("leave", Role.VIEWER, tokens.leave, "You are signed out there.", wants_person=True, wants_fresh=True),
        ),
    ),
    Page(
        "/verify",
        "Verify",
        EVERYBODY,
        verify,
        acts=(
            Act("check", EVERYBODY, verify.check, "It was looked at.", octets=verify.OCTETS_MAX),
            Act("check-file", EVERYBODY, verify.check_file, "It was looked at.", octets=verify.OCTETS_MAX),
        ),
    ),
)
