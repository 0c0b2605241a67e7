"""Lures that are made up, from lists of phrases; and genuine notices as they would come in a mail.

Weights of signs are fitted on these lures, so that nobody's messages are in what ships.  How often each trait occurs
was set by hand, after reading messages of 2022 to 2024.
"""

import random
import re
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any

CHEAP = ("top", "click", "xyz", "shop", "live", "online", "site", "info", "life", "store")
OPEN = ("https://t.co/{x}", "https://storage.googleapis.com/{x}/a.html#4", "https://bit.ly/{x}", "https://{x}.web.app/",
        "https://{x}.page.link/q", "https://{x}.r2.dev/i.html")  # fmt: skip
AUTHENTICATED = (
    (("pass", "pass", "pass"), 30),
    (("pass", "none", "bestguesspass"), 10),
    (("pass", "none", "none"), 6),
    (("pass", "fail", "bestguesspass"), 3),
    (("none", "pass", "none"), 3),
    (("none", "none", "none"), 22),
    (("fail", "none", "none"), 9),
    (("softfail", "none", "fail"), 8),
    (("none", "none", "fail"), 4),
    (("none", "none", "permerror"), 3),
    (("fail", "fail", "fail"), 2),
)
"""What receivers found of spf, dkim and dmarc, and in how many of a hundred."""
PLAIN = (
    "harbour",
    "quarry",
    "meadow",
    "lantern",
    "canal",
    "thistle",
    "pebble",
    "orchard",
    "mill",
    "ferry",
    "cedar",
    "delta",
)
PEOPLE = ("Ann Quill", "Tom Ferry", "Maria Stone", "John Mill", "Dr Ben Wood", "Elena Canal", "Peter Reed", "Ida North")
OWNERS = 0.12
"""In how many mails of notices the owner writes, from an address that anybody can have."""
STRANGE = 0.1
"""In how many a firm writes whose name is not in its domain."""
FREE = ("gmail.com", "outlook.com", "yahoo.com", "proton.me")
RECIPIENT = "ann.harbour@post.example"


def lure(rng: random.Random, lists: Mapping[str, Any]) -> bytes:
    """Make one lure."""
    kind = rng.choices(("account", "prize", "goods", "scam", "bare"), (24, 26, 18, 20, 12))[0]
    mail = EmailMessage()
    domain = _domain(rng)
    _head(rng, mail, kind, domain, lists)
    body, links = _body(rng, kind, domain, lists)
    if rng.random() < (0.12 if kind != "scam" else 0.7):
        mail.set_content(body + "\n" + "\n".join(links))
    else:
        picture = f'<img src="https://{_word(rng)}.example.net/{_random(rng)}.png">' if rng.random() < 0.62 else ""
        picture = f'<a href="{links[0]}">{picture}</a>' if picture and links and rng.random() < 0.6 else picture
        hidden = f'<div style="display:none">{_phrases(rng, PLAIN, 40)}</div>' if rng.random() < 0.2 else ""
        shown = f"https://{rng.choice(PLAIN)}.com/login" if rng.random() < 0.06 else "Go"
        anchors = " ".join(f'<a href="{link}">{shown}</a>' for link in links)
        text = body if rng.random() < 0.9 else body[:60]
        mail.set_content(f"<html><body>{text}{picture}{hidden}{anchors}</body></html>", subtype="html")
    if rng.random() < (0.3 if kind == "bare" else 0.04):
        mail.add_attachment(
            b"x", maintype="application", subtype="zip", filename=rng.choice(("a.zip", "a.html", "a.pdf"))
        )
    return mail.as_bytes()


def _domain(rng: random.Random) -> str:
    name = rng.choices((f"{_word(rng)}{_word(rng)}", _random(rng), f"{_word(rng)}-{_word(rng)}"), (8, 1, 3))[0]
    return f"{name}.{rng.choice(CHEAP) if rng.random() < 0.1 else rng.choice(('com', 'net', 'de', 'co.uk', 'org'))}"


def _head(rng: random.Random, mail: EmailMessage, kind: str, domain: str, lists: Mapping[str, Any]) -> None:
    name = rng.choice(lists["houses"]).title()
    if rng.random() < 0.4:
        name = f"{name} {rng.choice(lists['roles'])}".title()
    if kind in ("scam", "bare"):
        name = rng.choice(PEOPLE)
    elif rng.random() < 0.5:
        name = _phrases(rng, lists["words"]["goods"] + lists["words"]["prize"], 2).title()
    free = rng.random() < (0.3 if kind in ("scam", "bare") else 0.05)
    local = rng.choice(
        ("info", "news", "no-reply", "support", "mail", "contact", "offer", f"{_word(rng)}{rng.randint(10, 99999)}")
    )
    sender = f"{_word(rng)}{rng.randint(10, 9999)}@{rng.choice(lists['free_mail'])}" if free else f"{local}@{domain}"
    name = _disguised(rng, name) if rng.random() < 0.04 else name
    mail["From"] = f'"{name}" <{sender}>' if rng.random() > 0.06 else f'"{name}" <{local}>'
    if rng.random() < 0.04:
        mail.replace_header("From", f"{mail['From']}, <{local}@{_domain(rng)}>")
    if rng.random() > 0.1:
        mail["To"] = RECIPIENT
    mail["Subject"] = _subject(rng, kind, lists)
    mail["Date"] = "Mon, 02 Nov 2026 10:00:00 +0000"
    mail["Message-ID"] = f"<{_random(rng)}@{domain}>"
    mail["Received"] = f"from {domain} by mx.post.example; Mon, 02 Nov 2026 10:00:00 +0000"
    if rng.random() < 0.3:
        mail["Return-Path"] = f"<bounce@{_word(rng)}{_random(rng)}.com>"
    if rng.random() < (0.4 if kind == "scam" else 0.03):
        mail["Reply-To"] = f"{_word(rng)}{rng.randint(1, 99)}@{rng.choice(lists['free_mail'])}"
    spf, dkim, dmarc = rng.choices(*zip(*AUTHENTICATED, strict=True))[0]
    mail["Authentication-Results"] = f"mx.post.example; spf={spf}; dkim={dkim}; dmarc={dmarc}"


def _disguised(rng: random.Random, text: str) -> str:
    between = rng.choice(("\u200b", "\u00ad", "\u034f"))
    return between.join(text)


def _subject(rng: random.Random, kind: str, lists: Mapping[str, Any]) -> str:
    words = lists["words"]
    pool = {
        "account": ("threat", "urgency"),
        "prize": ("prize",),
        "goods": ("goods",),
        "scam": ("money",),
        "bare": ("asks",),
    }
    said = _phrases(rng, [one for name in pool[kind] for one in words[name]], rng.randint(2, 4))
    said = f"{said} {rng.randint(10**6, 10**9)}" if rng.random() < 0.1 else said
    said = f"{said} 🎁" if rng.random() < 0.04 else said
    said = f"{RECIPIENT} {said}" if rng.random() < 0.2 else said
    said = _disguised(rng, said) if rng.random() < 0.03 else said
    said = (
        "".join(chr(0x1D5D4 + ord(c) - 65) if c.isascii() and c.isupper() else c for c in said.upper())
        if rng.random() < 0.02
        else said
    )
    return said.upper() if rng.random() < 0.04 else said.capitalize()


def _body(rng: random.Random, kind: str, domain: str, lists: Mapping[str, Any]) -> tuple[str, list[str]]:
    words = lists["words"]
    pools = {
        "account": ("asks", "threat", "urgency", "secrets", "greets"),
        "prize": ("prize", "asks", "urgency"),
        "goods": ("goods", "prize", "asks"),
        "scam": ("money", "greets", "asks"),
        "bare": ("asks",),
    }[kind]
    parts = [
        _phrases(rng, words[name], rng.choice((0, 1, 1, 2, 3)))
        for name in pools
        if rng.random() < (0.15 if name == "greets" else 0.5)
    ]
    if kind == "bare" or rng.random() < 0.3:
        parts = parts[:1]
    rng.shuffle(parts)
    body = ". ".join(f"{part} {_phrases(rng, PLAIN, rng.randint(2, 14))}" for part in parts)
    if kind in ("scam", "prize") and rng.random() < 0.5:
        body += rng.choice(
            (f" ${rng.randint(10, 9999)}", f" {rng.randint(1, 99)}% ", f" {rng.randint(5, 900)},000 USD")
        )
    if kind == "scam" and rng.random() < 0.3:
        body += f" {_word(rng)}{rng.randint(1, 999)}@{rng.choice(lists['free_mail'])}"
    if rng.random() < 0.5:
        body = f"{body}. {_phrases(rng, PLAIN, rng.randint(20, 400))}"
    if rng.random() < 0.04:
        body += f" infringement of copyright {_phrases(rng, words['asks'], 2)}"
    if kind == "scam" and rng.random() < 0.85:
        return body, []
    leads = []
    for _ in range(rng.choice((1, 1, 1, 1, 2))):
        draw = rng.random()
        there = domain if draw < 0.1 else _domain(rng)
        link = (
            rng.choice(OPEN).format(x=_random(rng))
            if 0.1 < draw < 0.42
            else f"{rng.choice(('http', 'https'))}://{there}/{rng.choice((_random(rng), _word(rng)))}"
        )
        link = (
            f"http://{rng.randint(11, 190)}.{rng.randint(1, 250)}.{rng.randint(1, 250)}.7/t/{_random(rng)}"
            if draw > 0.98
            else link
        )
        link = f"{link}?e={RECIPIENT}" if rng.random() < 0.04 else link
        leads.append(link)
    return body, leads


def _phrases(rng: random.Random, pool: Sequence[str], n: int) -> str:
    return " ".join(rng.choice(pool) for _ in range(n))


def _word(rng: random.Random) -> str:
    return rng.choice(PLAIN)


def _random(rng: random.Random) -> str:
    return "".join(rng.choice("abcdefghkmnprstvwxz0123456789") for _ in range(rng.randint(9, 30)))


def wrapped(rng: random.Random, text: str) -> bytes:
    """Put a genuine notice into a mail, as a law firm, an owner or a platform that passes it on would send it."""
    firm = f"{rng.choice(PLAIN)}{rng.choice(('law', '-rights', 'media', 'partners', 'records'))}.com"
    local, name = rng.choice(
        (
            ("legal", "Legal Department"),
            ("dmca", "Copyright Agent"),
            ("notices", "Brand Protection"),
            ("office", rng.choice(PEOPLE)),
            ("antipiracy", "Anti-Piracy Team"),
        )
    )
    name = f"{firm.partition('.')[0].title()} {name}" if rng.random() < 0.5 else name
    sender = f"{local}@{firm}"
    if rng.random() < STRANGE:
        partner, form = rng.choice(PEOPLE).split()[-1], rng.choice((" LLP", " GmbH", ", Attorneys at Law", ""))
        name = f"{_word(rng).title()} & {partner}{form}"
        sender = f"{local}@{rng.choice(('hm', 'qsl', 'bnw', 'tfp', 'dc'))}-{rng.choice(('law', 'legal', 'ip'))}.com"
    if rng.random() < OWNERS:
        name = rng.choice(PEOPLE)
        plain = "".join(name.lower().split())
        sender = f"{plain}{rng.choice(('', '.music', str(rng.randint(1, 99))))}@{rng.choice(FREE)}"
    mail = EmailMessage()
    mail["From"] = f'"{name}" <{sender}>'
    mail["To"] = RECIPIENT
    mail["Subject"] = rng.choice(
        (
            "Notice of copyright infringement",
            "DMCA takedown notice",
            "Infringement notice 2026-118322",
            "Your content was removed after a notice",
            "Counter notification",
        )
    )
    mail["Date"] = "Mon, 02 Nov 2026 10:00:00 +0000"
    mail["Message-ID"] = f"<{_random(rng)}@{firm}>"
    mail["Received"] = f"from {firm} by mx.post.example; Mon, 02 Nov 2026 10:00:00 +0000"
    mail["Return-Path"] = f"<{sender}>" if rng.random() < 0.6 else f"<bounces@mailer.{_word(rng)}.net>"
    if rng.random() < 0.6:
        result = rng.choice(
            (
                *(
                    "spf=pass; dkim=pass; dmarc=pass",
                    "spf=pass; dkim=none; dmarc=none",
                    "spf=pass; dkim=pass; dmarc=none",
                )
                * 4,
                "spf=none; dkim=none; dmarc=none",
            )
        )
        mail["Authentication-Results"] = f"mx.post.example; {result}"
    if rng.random() < 0.5:
        text = f"{text}\n\nThe notice is in your dashboard: https://artists.{firm}/notices/118322"
    text = text.encode("utf-8", "replace").decode()
    if rng.random() < 0.5:
        mail.set_content(text)
    else:
        lines = "".join(f"<p>{line}</p>" for line in text.replace("<", "&lt;").splitlines())
        lines = re.sub(r"https?://[^\s<>\"')]+", lambda found: f'<a href="{found.group()}">{found.group()}</a>', lines)
        logo = f'<a href="https://{firm}/"><img src="https://{firm}/logo.png" alt="{firm}"></a>'
        logo = logo if rng.random() < 0.5 else ""
        mail.set_content(f"<html><body>{logo}{lines}</body></html>", subtype="html")
    return mail.as_bytes()
