"""Messages to artists, as mail (scenarios.toml)."""

import tomllib
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path

RECIPIENT = "ann.harbour@post.example"


def scenarios(which: str) -> list[tuple[str, bytes]]:
    """Read all of one kind, ``lure`` or ``genuine``, by name."""
    held = tomllib.loads(Path(__file__).with_name("scenarios.toml").read_text(encoding="utf-8"))
    return [(one["id"], written(one)) for one in held[which]]


def written(one: Mapping[str, str]) -> bytes:
    """Write one as a mail."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = one["from"], RECIPIENT, one["subject"]
    mail["Date"], mail["Message-ID"] = "Mon, 02 Nov 2026 10:00:00 +0000", "<1@post.example>"
    if "reply_to" in one:
        mail["Reply-To"] = one["reply_to"]
    if "found" in one:
        mail["Authentication-Results"] = f"mx.post.example; {one['found']}"
    if "return_path" in one:
        mail["Return-Path"] = f"<{one['return_path']}>"
    if "page" in one:
        mail.set_content(f"<html><body>{one['page']}</body></html>", subtype="html")
    else:
        mail.set_content(one["text"].replace("{recipient}", RECIPIENT) + ("\n" + one["link"] if "link" in one else ""))
    if "file" in one:
        mail.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=one["file"])
    return mail.as_bytes()
