"""Calls the local server of the terminal on this machine."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tillwave.exits import Exit, exit_on, leave

if TYPE_CHECKING:
    from device.config import Settings

_PATIENCE_S = 5.0
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - these name no machine


def call_terminal(config: Path, path: str, *, with_key: bool = False) -> dict[str, Any]:
    """Call a path; with the terminal's control key it is a POST. Ends the command if the terminal does not answer."""
    from device.config import SettingsMissing, SettingsProblem, load_settings

    with exit_on({SettingsMissing: Exit.SOMETHING_MISSING, SettingsProblem: Exit.SETTINGS_WRONG}):
        settings = load_settings(config)
    headers = {"Authorization": f"Bearer {_control_key(settings)}"} if with_key else {}
    address = _address(settings)
    request = urllib.request.Request(address + path, headers=headers, method="POST" if with_key else "GET")  # noqa: S310
    try:
        with _opener(settings).open(request, timeout=_PATIENCE_S) as response:
            return {**json.load(response), "address": address}
    except urllib.error.HTTPError as error:
        raise leave(Exit.FAILED, f"the terminal refuses: {error.read(500).decode(errors='replace')}") from error
    except OSError as error:
        raise leave(Exit.UNREACHABLE, f"no terminal answers at {address}; is it running? ({error})") from error


def _control_key(settings: Settings) -> str:
    path = settings.terminal.state / "control.key"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise leave(
            Exit.SOMETHING_MISSING, f"{path} cannot be read; is the terminal running, and are you root?"
        ) from error


def _address(settings: Settings) -> str:
    server = settings.server
    host = "127.0.0.1" if server.host in _ANY_ADDRESS else server.host
    scheme = "https" if server.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"


def _opener(settings: Settings) -> urllib.request.OpenerDirector:
    """Give an opener that knows the terminal's own certificate and asks no proxy for this machine."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if settings.server.tls_certificate is not None:
        context = ssl.create_default_context(cafile=str(settings.server.tls_certificate))
        context.check_hostname = False
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)
