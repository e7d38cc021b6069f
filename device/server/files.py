"""The files of the pages: a closed list, read when the server is made."""

from __future__ import annotations

import html
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from device.server.problems import Refusal
from device.server.settings import ServerSettings
from protocol import currencies

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class PageFiles:
    """Gives pages with this terminal's settings written in, and the files that they load."""

    def __init__(self, settings: ServerSettings) -> None:
        folder = resources.files("device.server") / "pages"
        self._settings = settings
        self._pages = {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".html")}
        self._files = {each.name: each.read_bytes() for each in folder.iterdir() if _type_of(each.name)}

    def routes(self) -> list[BaseRoute]:
        """Give the addresses of the files."""
        return [Route("/pages/{name}", self._file)]

    def page(self, name: str, terminal: str, side: str = "") -> Response:
        """Give a page; {{word}} in it becomes a setting, or the side that the page belongs to."""
        exponent = currencies.by_code(self._settings.currency).exponent
        words = {
            "language": self._settings.language,
            "shop": self._settings.shop or terminal,
            "terminal": terminal,
            "side": side,
            "currency": self._settings.currency,
            "exponent": str(exponent),
        }
        text = self._pages[name]
        for word, value in words.items():
            text = text.replace("{{" + word + "}}", html.escape(value))
        return Response(text, media_type="text/html; charset=utf-8")

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._files:
            raise Refusal(404, "not-found", "there is no such file")
        return Response(self._files[name], media_type=_type_of(name))


def _type_of(name: str) -> str | None:
    return next((media for ending, media in _TYPES.items() if name.endswith(ending)), None)
