"""What can go wrong with a device.

DriverError
+-- DriverUnsupported     the driver's own library or the machine lacks something; the text says what to install
+-- DeviceMissing         not there, busy or unplugged; will likely succeed when it is plugged in (also an OSError)
+-- DeviceFailed          there, but broken
+-- UnknownDriver         no driver of that name is installed (also a LookupError)
"""

from __future__ import annotations


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
