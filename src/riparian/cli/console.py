"""``riparian console``: the pages where people look, and do what only people do."""

import secrets
from typing import Annotated, Final

import typer

from riparian import assembly
from riparian.cli import options, terminal
from riparian.cli.explain import existing
from riparian.errors import InputError

app = typer.Typer(pretty_exceptions_enable=False)

_PORT: Final = 8099
At = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS", help="Where people reach it, as in https://console.example; needed off this machine."
    ),
]


@app.command()
def console(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it listens.")] = "127.0.0.1:8099",
    at: At = "",
    policy: options.Policy = None,
    people: options.People = None,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Serve the pages where people look, and do what only people do, until it is asked to end."""
    import uvicorn  # noqa: PLC0415 -- only this verb needs it

    from riparian.console.doors import Unlocked  # noqa: PLC0415 -- as above
    from riparian.console.guard import is_loopback  # noqa: PLC0415 -- as above
    from riparian.console.site import console_app  # noqa: PLC0415 -- as above
    from riparian.ports.staff import Person, Role  # noqa: PLC0415 -- as above

    host, port = options.place(listen, _PORT)
    where = at.rstrip("/") or f"http://localhost:{port}"
    if not is_loopback(f"http://{host}:{port}") or not is_loopback(where):
        raise InputError(f"it would listen at `{host}`, wanted this machine's own address: nobody signs in yet")
    given = assembly.Given(existing(workspace), policy, people)
    made = console_app(given, Unlocked(where, Person("console", Role.ADMIN), secrets.token_urlsafe(32)))
    terminal.say(f"Open {where}/")
    uvicorn.run(made, host=host, port=port, log_level="warning", access_log=False, server_header=False)
