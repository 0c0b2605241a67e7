"""``riparian console``: the pages where people look, and do what only people do."""

from typing import Annotated, Any, Final

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.asked import asked_to_end
from riparian.cli.explain import existing
from riparian.cli.logged import Form, Log, run_logged
from riparian.cli.taken import require_free
from riparian.cli.upkeep import Looked
from riparian.edges.health import Health
from riparian.errors import InputError
from riparian.ports.staff import Invitation, Person, Role, Staff

app = typer.Typer(pretty_exceptions_enable=False)

_PORT, _CONTROL = 8099, 9198
PATIENCE_S: Final = 30
"""How long requests that were begun have, once it was asked to end."""
At = Annotated[
    str,
    typer.Option(metavar="ADDRESS", help="Where people reach it, as in https://console.example; for other machines."),
]
PageAt = Annotated[
    str,
    typer.Option("--page", metavar="PATH", help="Print what stands on a page as JSON, as in /rings; serve nothing."),
]
Control = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="Where monitors ask: /healthz, /readyz, /metrics; for your own eyes only. None if empty.",
    ),
]
Setup = Annotated[bool, typer.Option("--setup", help="Print a link by which one more admin comes in.")]


@app.command()
def console(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it listens.")] = "127.0.0.1:8099",
    at: At = "",
    setup: Setup = False,
    page: PageAt = "",
    control: Control = "",
    log: options.Log = Form.TEXT,
    policy: options.Policy = None,
    people: options.People = None,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Serve the pages where people look, and do what only people do, until it is asked to end.

    The first time, and with --setup, it prints a link by which an admin comes in: once, within a quarter of an hour.
    For other machines put your own server, with TLS, before it.
    """
    given = assembly.Given(existing(workspace), policy, people)
    if page:
        from riparian.console.page import facts_at  # noqa: PLC0415 -- as below
        from riparian.console.pages import PAGES  # noqa: PLC0415 -- as below

        lines.write([facts_at(given, page, PAGES, Person("console", Role.ADMIN))])
        return
    said = Log(log, "console")
    run_logged(said, lambda: _served(given, options.place(listen, _PORT), at, control, said, setup=setup))


def _served(given: assembly.Given, place: tuple[str, int], at: str, control: str, log: Log, *, setup: bool) -> None:
    import uvicorn  # noqa: PLC0415 -- only this verb needs it

    from riparian.console.doors import Locked  # noqa: PLC0415 -- as above
    from riparian.console.issuer import Issuer  # noqa: PLC0415 -- as above
    from riparian.console.metered import Metered, Readiness  # noqa: PLC0415 -- as above
    from riparian.console.site import console_app  # noqa: PLC0415 -- as above

    where = reached(at, *place)
    issuer = assembly.read_issuer(given)
    known = (
        Issuer(issuer["issuer"], issuer["client_id"], issuer["client_secret"], acr=issuer["acr"]) if issuer else None
    )

    def told(answered: Any) -> None:
        said = {"route": answered.route, "method": answered.method, "status": answered.status}
        log.say("answered", **said, ms=round(1000 * answered.seconds, 1))

    require_free([(f"{place[0]}:{place[1]}", "--listen")])
    with assembly.staff(given) as staff:
        made = Metered(
            console_app(given, Locked(where, staff, assembly.WallClock(), known)), told if log.is_json else None
        )
        server = uvicorn.Server(
            uvicorn.Config(
                made,
                host=place[0],
                port=place[1],
                log_level="warning",
                log_config=None if log.is_json else uvicorn.config.LOGGING_CONFIG,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=PATIENCE_S,
            )
        )
        ready = Readiness(
            made, Looked(given), is_listening=lambda: server.started, is_draining=lambda: server.should_exit
        )

        def end() -> None:
            server.should_exit = True

        health = Health(*options.place(control, _CONTROL), ready) if control else None
        _greet(where, staff, setup=setup)
        try:
            with asked_to_end(end) as ended:
                server.run()
        finally:
            if health is not None:
                health.close()
    if ended.is_set():
        log.say("ended", clean=True)


def reached(at: str, host: str, port: int) -> str:
    """Say where people reach the console.

    Raises
    ------
    InputError
        When that is another machine, and not over TLS; no browser has passkeys there.

    Examples
    --------
    >>> reached("", "127.0.0.1", 8099), reached("https://console.example/", "0.0.0.0", 80)
    ('http://localhost:8099', 'https://console.example')
    """
    from riparian.console.guard import is_loopback  # noqa: PLC0415 -- only this verb needs it

    where = at.rstrip("/") or f"http://localhost:{port}"
    is_ours = is_loopback(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    if not at and not is_ours:
        raise InputError(
            f"it would listen at `{host}`, and nobody knows where it is reached, wanted its address",
            hint="Name it with --at https://console.example.",
        )
    if not where.startswith("https://") and not is_loopback(where):
        raise InputError(
            f"`{where[:200]}` is no address over TLS, wanted one as in https://console.example",
            hint="Put your own server, with TLS, before the console.",
        )
    return where


def _greet(where: str, staff: Staff, *, setup: bool) -> None:
    if setup or not staff.members():
        link = staff.invite(Invitation("", Role.ADMIN), assembly.WallClock().now_us())
        terminal.say("Come in as an admin, once, within a quarter of an hour:")
        terminal.say(f"  {where}/setup?link={link}")
    else:
        terminal.say(f"Open {where}/")
