"""What can go wrong with a device.

DriverError
+-- DriverUnsupported     the driver's own library or the machine lacks something; the text says what to install
+-- DeviceMissing         not there, busy or unplugged; will likely succeed when it is plugged in (also an OSError)
+-- DeviceFailed          there, but broken
+-- UnknownDriver         no driver of that name is installed (also a LookupError)
"""

from __future__ import annotations

import errno

from device.ports import Health, HealthState


class DriverError(Exception):
    """Something is wrong with one device; `device` names it as the configuration does."""

    def __init__(self, device: str, detail: str) -> None:
        self.device = device
        self.detail = detail
        super().__init__(f"{device}: {detail}")


class DriverUnsupported(DriverError):
    """This machine cannot run the driver."""


class DeviceMissing(DriverError, OSError):
    """The device is not there, is busy, or was unplugged."""


class DeviceFailed(DriverError):
    """The device is there but does not work."""


class UnknownDriver(DriverError, LookupError):
    """No installed package offers this driver."""


def health_of(error: DriverError) -> Health:
    """Give the health that an error leaves a device in: MISSING if it may come back by itself, else FAILED."""
    state = HealthState.MISSING if isinstance(error, DeviceMissing) else HealthState.FAILED
    return Health(state, error.detail)


def node_error(device: str, error: OSError, group: str) -> DriverError:
    """Translate an error of a device node: DeviceFailed if only its `group` may use it, else DeviceMissing."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceFailed(device, f"no permission ({error}): add the terminal's user to the group {group}")
    return DeviceMissing(device, str(error))
