"""A whole mall in one folder: authority, broker, settlement, terminals and phones, provisioned as a real one is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from provisioning.authority import Authority
from provisioning.badge import Badge, make_badge
from provisioning.broker import provision_broker
from provisioning.layout import Device, Offline, Supervisor, TerminalChoices
from provisioning.mall import BrokerAddress, Mall, Merchant
from provisioning.settlement import Owner, PhoneAddress, SettlementChoices, Shares, provision_settlement
from provisioning.terminal import provision_terminal
from tillwave.testing.processes import Program, accepts, find_program, free_port

if TYPE_CHECKING:
    from tillwave.testing.shopper import Shopper
    from tillwave.testing.terminal import BoxedTerminal

TEA_HOUSE = Merchant(name="Longjing Tea House", city="Hangzhou", country="CN", local_name="龙井茶馆")
SHARES = Shares(
    version="demo-1",
    merchant=9000,
    platform=300,
    store=300,
    guide=150,
    mall=200,
    third=50,
    third_party="Tea Growers",
    partners=("tea-blog",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPlan:
    """How a terminal in the box is fitted out."""

    devices: Sequence[Device] | None = None
    """None means one simulated device of every kind."""
    offline: Offline = field(default_factory=Offline)
    catalogue: str = ""
    """TOML text of the goods."""
    sale_deadline_s: int = 180
    decision_timeout_s: int = 5
    language: str = "zh"
    merchant: Merchant | None = None
    supervisors: Sequence[str] = ("Chen",)


@dataclass(frozen=True, slots=True, kw_only=True)
class MallPlan:
    """How the mall is laid out."""

    name: str = "demo"
    currency: str = "CNY"
    merchant: Merchant = TEA_HOUSE
    shares: Shares = SHARES
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """By terminal: whose it is and in which store it stands."""


class BoxedMall:
    """A mall on loopback. `start` provisions and starts broker and settlement; `stop` ends all it started."""

    def __init__(self, folder: Path, plan: MallPlan | None = None) -> None:
        self.folder = folder
        self.plan = plan or MallPlan()
        self.broker_port = free_port()
        self.phone_port = free_port()
        self.settlement_folder = folder / "settlement"
        self._cleanup = ExitStack()
        self._authority: Authority | None = None
        self._broker: Program | None = None
        self._settlement: Program | None = None
        self._badges: dict[str, Badge] = {}
        self._badges_lock = threading.Lock()

    def start(self) -> None:
        """Make authority, broker and settlement, and start the last two."""
        self.folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        mall = Mall(name=self.plan.name, currency=self.plan.currency, merchant=self.plan.merchant)
        authority = Authority.create(self.folder / "authority", mall, at=now)
        configuration = provision_broker(
            self.folder / "broker", authority, BrokerAddress("localhost", self.broker_port), at=now
        )
        choices = SettlementChoices(
            shares=self.plan.shares, phones=PhoneAddress(port=self.phone_port), owners=self.plan.owners, beat_s=1.0
        )
        settings = provision_settlement(self.settlement_folder, authority, at=now, choices=choices)
        self._authority = authority
        self._broker = self._program("broker", find_program("mosquitto") or "mosquitto", "-c", str(configuration))
        self._settlement = self._program("settlement", *TILLWAVE, "settle", "--config", str(settings))
        self.start_broker()
        self.start_settlement()

    def at_the_end(self, act: Callable[[], object]) -> None:
        """Do something when the mall stops, before what was started earlier ends."""
        self._cleanup.callback(act)

    def stop(self) -> None:
        """End terminals, settlement and broker; harmless when stopped."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def authority(self) -> Authority:
        """The mall's certificate authority."""
        assert self._authority is not None, "start the mall first"
        return self._authority

    @property
    def broker(self) -> Program:
        """The running mosquitto."""
        assert self._broker is not None, "start the mall first"
        return self._broker

    @property
    def settlement(self) -> Program:
        """The running settlement service."""
        assert self._settlement is not None, "start the mall first"
        return self._settlement

    @property
    def settlement_settings(self) -> Path:
        """settlement.toml, for `tillwave ledger` and its like."""
        return self.settlement_folder / "settlement.toml"

    @property
    def authority_certificate(self) -> Path:
        """The certificate that phones trust."""
        return self.settlement_folder / "ca.crt"

    @property
    def phone_url(self) -> str:
        """Where phones reach settlement."""
        return f"https://localhost:{self.phone_port}"

    def start_broker(self) -> None:
        """Start the broker, for the first time or again."""
        self.broker.start(lambda: accepts(self.broker_port))

    def start_settlement(self) -> None:
        """Start settlement, for the first time or again."""
        self.settlement.start(lambda: accepts(self.phone_port))

    def badge(self, supervisor: str) -> str:
        """Give the text of a supervisor's badge, as its bearer would show it."""
        return self._badge(supervisor).text

    def add_terminal(self, name: str, plan: TerminalPlan | None = None) -> BoxedTerminal:
        """Provision a terminal with simulated devices, and start it."""
        from tillwave.testing.terminal import BoxedTerminal, all_simulated

        plan = plan or TerminalPlan()
        folder, port = self.folder / name, free_port()
        bench = folder / "bench"
        choices = TerminalChoices(
            language="en" if plan.language == "en" else "zh",
            server_port=port,
            sale_deadline_s=plan.sale_deadline_s,
            decision_timeout_s=plan.decision_timeout_s,
            catalogue="catalogue.toml" if plan.catalogue else None,
            offline=plan.offline,
            supervisors=[Supervisor(who, self._badge(who).badge_hash) for who in plan.supervisors],
            devices=all_simulated(bench) if plan.devices is None else plan.devices,
        )
        settings = provision_terminal(
            folder, name, self.authority, at=datetime.now(UTC), merchant=plan.merchant, choices=choices
        )
        if plan.catalogue:
            (folder / "catalogue.toml").write_text(plan.catalogue, encoding="utf-8")
        program = self._program(name, *TILLWAVE, "run", "--config", str(settings))
        terminal = BoxedTerminal(name=name, settings=settings, port=port, bench_folder=bench, program=program)
        self._cleanup.callback(terminal.close)
        terminal.start()
        return terminal

    def add_shopper(self, name: str, load_minor: int = 0) -> Shopper:
        """Open an account at the house wallet, load it, and enrol a phone."""
        from tillwave.testing.shopper import enrol_shopper

        shopper = enrol_shopper(self, name, load_minor)
        self._cleanup.callback(shopper.close)
        return shopper

    def _badge(self, supervisor: str) -> Badge:
        with self._badges_lock:  # terminals are added from several threads, and one person has one badge
            if supervisor not in self._badges:
                self._badges[supervisor] = make_badge(supervisor)
            return self._badges[supervisor]

    def _program(self, name: str, *command: str) -> Program:
        program = Program(name, command, self.folder / f"{name}.log")
        self._cleanup.callback(program.stop)
        return program


TILLWAVE = (sys.executable, "-m", "tillwave")
