"""All pages of the console, in the order of its navigation; what may be done on them, and by whom."""

from typing import Final

from riparian.console.page import Act, Page
from riparian.console.pages import account, accounts, looks, people
from riparian.ports.staff import Role

PAGES: Final[tuple[Page, ...]] = (
    Page("/accounts", "Accounts", Role.ANALYST, accounts, looks_at=accounts.seen),
    Page("/account", "Account", Role.ANALYST, account, is_listed=False, under="/accounts", looks_at=account.seen),
    Page(
        "/people",
        "People",
        Role.ADMIN,
        people,
        acts=(
            Act("invite", Role.ADMIN, people.invite, "Invited."),
            Act("change", Role.ADMIN, people.change, "The role is changed, and they are signed out."),
            Act("remove", Role.ADMIN, people.remove, "They are let in no more."),
        ),
    ),
    Page("/looks", "Looks", Role.ADMIN, looks),
)
