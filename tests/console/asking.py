"""Somebody's browser, without the browser: keeps cookies, follows nothing, runs no script."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp

AT = "http://localhost:8099"


class Browser:
    """Asks an application, one request after the other."""

    def __init__(self, app: ASGIApp, at: str = AT) -> None:
        self.at = at
        self.cookies = httpx.Cookies()
        self._app = app

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        return asyncio.run(self._ask(method, path, how))

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("GET", path, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("POST", path, **how)

    async def _ask(self, method: str, path: str, how: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self.at, cookies=self.cookies) as client:
            answer = await client.request(method, path, **how)
            self.cookies = client.cookies
            return answer
