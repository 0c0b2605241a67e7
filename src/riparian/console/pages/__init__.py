"""All pages of the console, in the order of its navigation; what may be done on them, and by whom."""

from typing import Final

from riparian.console.page import Page
from riparian.console.pages import account, accounts
from riparian.ports.staff import Role

PAGES: Final[tuple[Page, ...]] = (
    Page("/accounts", "Accounts", Role.ANALYST, accounts, looks_at=accounts.seen),
    Page("/account", "Account", Role.ANALYST, account, is_listed=False, under="/accounts", looks_at=account.seen),
)
