"""What a service tells systemd: READY, STOPPING and the watchdog's sign of life (sd_notify(3)); silent without it."""

from __future__ import annotations

import os
import socket

_MICROSECONDS = 1_000_000


def notify(state: str) -> bool:
    """Send a state such as "READY=1" to the service manager; False when there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        try:
            connection.sendto(state.encode(), name)
        except OSError:
            return False
    return True


def watchdog_interval_s() -> float | None:
    """Give the seconds after which to send "WATCHDOG=1", half of what the manager allows; None without a watchdog."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        allowed = int(os.environ.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return allowed / _MICROSECONDS / 2 if allowed > 0 else None
