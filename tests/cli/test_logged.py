"""What is logged for programs: one object a line, of a closed list of fields, and nobody in it."""

import ast
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riparian.cli.logged import EVENTS, Form, Log, place, run_logged
from riparian.errors import InputError

CLI = Path("src/riparian/cli")
SOMEBODY = "ada@example.org <script>alert(1)</script>\n198.51.100.7 \x1b[31m"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    # Whoever configured logging before us, in this process, may have switched off what was there.
    for one in logging.root.manager.loggerDict.values():
        if isinstance(one, logging.Logger):
            monkeypatch.setattr(one, "disabled", False)
            monkeypatch.setattr(one, "propagate", True)
            monkeypatch.setattr(one, "level", logging.NOTSET)
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    made = Log(Form.JSON, "console")
    made.take_over()
    yield made
    logging.captureWarnings(capture=False)
    root.handlers, (sys.excepthook, threading.excepthook) = handlers, hooks
    root.setLevel(level)


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_a_line_says_when_who_what_and_nothing_beyond_the_list(log: Log, capfd: pytest.CaptureFixture[str]) -> None:
    log.say("decided", "a sentence", account=SOMEBODY, pseudonym="p-1", action="hold", because=[SOMEBODY])
    (line,) = lines(capfd)
    assert {name: line[name] for name in ("process", "event", "pseudonym", "action")} == {
        "process": "console",
        "event": "decided",
        "pseudonym": "p-1",
        "action": "hold",
    }
    assert set(line) == {"at", "process", "pid", "event", "pseudonym", "action"}
    assert line["at"].endswith("+00:00")


def raising() -> None:
    raise InputError(f"`account` is `{SOMEBODY}`, wanted somebody else")


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda log: log.failed("look_failed", raised(KeyError(SOMEBODY))), id="an error of somebody's"),
        pytest.param(lambda _: logging.getLogger("uvicorn.error").error("%s", SOMEBODY), id="a library logs a name"),
        pytest.param(lambda _: logging.getLogger("asyncio").error(SOMEBODY), id="a library logs a name as its words"),
        pytest.param(
            lambda _: logging.getLogger("riparian.edges.metrics").error("met %s", SOMEBODY), id="we log a name"
        ),
        pytest.param(
            lambda _: logging.getLogger("x").error("failed", exc_info=raised(ValueError(SOMEBODY))), id="with an error"
        ),
        pytest.param(
            lambda _: sys.excepthook(ValueError, raised(ValueError(SOMEBODY)), None), id="the program falls over"
        ),
        pytest.param(lambda _: in_thread(lambda: int(SOMEBODY)), id="a thread falls over"),
    ],
)
def test_nothing_that_anybody_is_called_is_logged(
    log: Log, capfd: pytest.CaptureFixture[str], happens: Callable[[Log], None]
) -> None:
    happens(log)
    written = capfd.readouterr().err
    assert [json.loads(line)["event"] in EVENTS for line in written.splitlines()] == [True]
    for part in ("ada", "example", "script", "198.51", "\x1b", "[31m"):
        assert part not in written


def in_thread(does: Callable[[], object]) -> None:
    thread = threading.Thread(target=does)
    thread.start()
    thread.join()


def test_our_own_words_are_logged_and_what_they_were_said_of_is_not(
    log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("riparian.stores.valkey").warning("budgets are out of reach: %s", SOMEBODY)
    (line,) = lines(capfd)
    assert (line["event"], line["level"], line["says"]) == ("logged", "warning", "budgets are out of reach: %s")
    assert line["process"] == log.process


def test_a_refusal_is_a_line_and_an_exit_code(log: Log, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_logged(log, raising)
    (line,) = lines(capfd)
    assert (ended.value.code, line["event"], line["error"]) == (2, "refused", "InputError")


def test_people_read_sentences(capfd: pytest.CaptureFixture[str]) -> None:
    Log().say("draining", "Asked to end.")
    Log().say("gate_began", shard=0)
    assert capfd.readouterr().err == "Asked to end.\n"


def test_the_place_of_an_error_is_in_our_own_code() -> None:
    def ours() -> None:
        json.loads("no json", parse_constant=int)

    with pytest.raises(ValueError, match="Expecting") as caught:
        ours()
    assert place(caught.tb).startswith("decoder.py:")
    with pytest.raises(KeyError) as known:
        Log(Form.JSON).say("no such event")
    assert place(known.tb).startswith("logged.py:")


def test_every_event_that_is_said_is_on_the_list_and_every_one_on_the_list_is_said() -> None:
    said: set[str] = set()
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = ast.unparse(node.func)
                if of.endswith(("log.say", "log.failed", "_log.say")) or of in {"self.say", "house.say"}:
                    said |= {str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    named = {"write_failed", "keys_failed"}
    assert (said | named) == set(EVENTS)
