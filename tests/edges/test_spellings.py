"""What is a path, and what is none, is the same to the gate, to nginx, to Envoy, and to the script in it."""

import re

import pytest

from riparian.edges import envoy, nginx
from riparian.gate.spelling import plain

PATHS = {
    "a segment": "/media/r1/a.ts",
    "the root": "/",
    "a folder": "/media/r1/",
    "escapes that have to be": "/media/d%C3%A9j%C3%A0%20vu/1.m4s",
    "a well-known place": "/.well-known/acme-challenge/x_1-2",
    "a folder of a tool": "/.git/config",
    "a name that begins with a dot": "/media/r1/.x",
    "a dot and a dash": "/.-/x",
    "dots within": "/media/r1/a..b/c...",
    "everything that stands as it is": "/-._~!$&'()*+,=:@",
}
NO_PATHS = {
    "here": "/media/./r1",
    "here, at the end": "/media/.",
    "up": "/media/r1/../r2/1",
    "up, at the beginning": "/../media",
    "up, at the end": "/media/r1/..",
    "up, encoded": "/media/r1/%2e%2e/r2",
    "up, encoded in capitals": "/media/r1/%2E%2E/r2",
    "up, half encoded": "/media/r1/.%2e/r2",
    "up, the other half": "/media/r1/%2E./r2",
    "up, encoded twice": "/media/r1/%252e%252e/r2",
    "up, its slash encoded": "/media/r1/..%2fr2",
    "up, both slashes encoded": "/about%2F..%2Fmedia/r1",
    "up, its slash a backslash": "/media/r1/..\\r2",
    "up, its slash an encoded backslash": "/media/r1/..%5Cr2",
    "up, with a parameter": "/media/r1/..;/r2",
    "up, with an encoded parameter": "/media/r1/..%3Bx/r2",
    "up, with a blank that some servers drop": "/media/r1/..%20/r2",
    "up, and another dot that some servers drop": "/media/r1/.../r2",
    "up, and a zero": "/media/r1/..%00/r2",
    "up, overlong": "/media/r1/..%c0%af/r2",
    "up, and a name": "/media/r1/..x",
    "a dot and a blank": "/media/.%20/r1",
    "a dot and a letter beyond ASCII": "/media/.%C3%A9",
    "a dot and a sign": "/media/.~",
    "a well-known place, its dot encoded": "/%2ewell-known/x",
    "a well-known place, then up": "/.well-known/../media/r1/1",
    "a well-known place, then up, with a parameter": "/.well-known/..;/media/r1/1",
    "a parameter": "/about;x=1",
    "two slashes": "/media//r1",
    "two slashes at the beginning": "//media/r1",
    "two slashes at the end": "/media/r1//",
    "a letter encoded": "/%6dedia/r1",
    "small hexadecimals": "/media/%c3%a9",
    "a question mark encoded, and more": "/about%3F%2e",
    "an escape cut short": "/media/%C",
    "a zero": "/media/r1%00",
    "a line feed": "/media/r1\n",
    "a letter beyond ASCII": "/media/é",
    "no slash": "media/r1",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_is_a_path_everywhere(path: str) -> None:
    assert read_by_all(path) == [True] * 3


@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS)
def test_is_no_path_anywhere(path: str) -> None:
    assert read_by_all(path) == [False] * 3


def read_by_all(path: str) -> list[bool]:
    return [plain(path), *(re.fullmatch(pattern, path) is not None for pattern in (nginx.PLAIN, envoy.PLAIN))]
