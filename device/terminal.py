"""The one place that puts the parts of a terminal together, starts them and stops them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

from device.config import Settings
from device.decode.disturbance import Sound
from device.devices import Devices
from device.echoes import Echoes
from device.feedback import Feedback
from device.guide import Guide
from device.identity import TerminalKeys, load_keys
from device.lighting import Lighting
from device.payment.classifying import Classifier
from device.payment.counter import Counter
from device.payment.goods import Catalogue
from device.payment.journal import Journal
from device.payment.presenting import Presenter
from device.payment.till import CounterSettings, Till
from device.payment.views import CounterView
from device.ports import Clock, Health, Randomness
from device.server.app import make_app
from device.server.pairing import Pairing
from device.server.sections import Fitted, Section
from device.server.serve import serve
from device.server.settings import ServerSettings
from device.uplink.link import LinkSettings
from device.uplink.uplink import Identity, Uplink, presence
from device.voice import Voice
from device.watching import CameraSection
from keys.badges import is_badge
from protocol.service_manager import notify, watchdog_interval_s
from protocol.topics import TerminalTopics, beat_topic

log = logging.getLogger(__name__)

_TICK_S = 0.1
_RESOLVE_S = 8.0
"""So long a payment under way may take to be decided when the terminal is asked to stop."""
_LAST_RECORDS_S = 1.0

if TYPE_CHECKING:
    from device.server.nexo.listener import NexoListener

_Argument = TypeVar("_Argument")


class Terminal:
    """A whole terminal. The constructor only stores; `run` works until `stop` is called."""

    def __init__(self, settings: Settings, settings_hash: bytes, *, clock: Clock, randomness: Randomness) -> None:
        self._settings = settings
        self._settings_hash = settings_hash
        self._clock = clock
        self._randomness = randomness
        self._stopping = asyncio.Event()
        self._guide = Guide()
        self._voice: Voice | None = None

    def stop(self) -> None:
        """Ask the terminal to stop; `run` returns when a running sale is resolved or recorded as unknown."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until asked to stop; raises KeyProblem, JournalProblem or CounterProblem if it cannot begin."""
        keys = load_keys(self._settings, self._clock)
        journal = Journal(self._settings.journal, self._settings.terminal.name, keys.signer, self._clock)
        journal.start()
        try:
            await self._run(keys, journal)
        finally:
            journal.stop()

    async def _run(self, keys: TerminalKeys, journal: Journal) -> None:
        uplink = self._make_uplink(keys, journal)
        counter = self._make_counter(keys, journal, uplink)
        pairing = Pairing(self._settings.terminal.state, self._clock, self._randomness)
        pairing.start()
        echoes = Echoes(counter.present)
        devices = self._make_devices(counter, pairing, echoes)
        voice = self._voice = Voice(
            devices.speakers, self._settings.sound.challenge, self._clock, deafen=devices.deafen
        )
        feedback = Feedback(
            lamps=devices.lamps,
            buzzers=devices.buzzers,
            printers=devices.printers,
            language=self._settings.terminal.language,
        )
        uplink.attach(counter)
        counter.start()
        feedback.start(counter.view())
        counter.subscribe(feedback.follow)
        counter.subscribe(_at_a_new_sale(echoes.clear))
        counter.subscribe(_at_a_new_sale(devices.rearm))
        lighting = Lighting(devices.illuminations, devices.aims, self._settings.lighting)
        lighting.follow(counter.view())
        counter.subscribe(lighting.follow)
        counter.subscribe(self._guide.follow)
        self._guide.subscribe(lighting.guided)
        counter.subscribe(voice.follow)
        await self._live(counter, uplink, pairing, devices, voice)

    async def _live(self, counter: Counter, uplink: Uplink, pairing: Pairing, devices: Devices, voice: Voice) -> None:
        nexo = self._make_nexo(counter)
        async with asyncio.TaskGroup() as group:
            working = [
                group.create_task(uplink.run(), name="uplink"),
                group.create_task(self._serve(counter, pairing, devices, nexo), name="local server"),
                group.create_task(self._tick(counter), name="time"),
                group.create_task(self._feed_watchdog(), name="watchdog"),
                group.create_task(devices.run(), name="devices"),
                group.create_task(voice.run(), name="voice"),
            ]
            if nexo is not None:
                working.append(group.create_task(nexo.run(), name="nexo"))
            await self._stopping.wait()
            notify("STOPPING=1")
            log.info("stopping")
            await self._come_to_rest(counter, uplink)
            for task in working:
                task.cancel()

    async def _come_to_rest(self, counter: Counter, uplink: Uplink) -> None:
        counter.refuse_new_sales()
        await _until(lambda: not counter.resolving, _RESOLVE_S)
        counter.stop()
        await _until(lambda: not uplink.online or counter.view().queue == 0, _LAST_RECORDS_S)

    async def _serve(self, counter: Counter, pairing: Pairing, devices: Devices, nexo: NexoListener | None) -> None:
        listen = self._settings.server
        app = make_app(
            counter,
            pairing,
            _server_settings(self._settings),
            self._clock,
            guide=self._guide,
            fitted=[Fitted(device.name, device.kind, device.driver) for device in self._settings.devices],
            sections=_sections(devices),
            introduce_nexo=nexo.introduce if nexo else None,
        )
        await serve(
            app, listen.host, listen.port, certificate=listen.tls_certificate, key=listen.tls_key, ready=self._ready
        )

    def _ready(self, port: int) -> None:
        log.info("ready at %s:%d", self._settings.server.host, port)
        notify("READY=1")

    async def _tick(self, counter: Counter) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            counter.tick()

    async def _feed_watchdog(self) -> None:
        interval_s = watchdog_interval_s()
        while interval_s is not None:
            notify("WATCHDOG=1")
            await asyncio.sleep(interval_s)

    def _make_nexo(self, counter: Counter) -> NexoListener | None:
        settings, terminal = self._settings.nexo, self._settings.terminal
        if not settings.enabled:
            return None
        from device.server.nexo.listener import NexoListener, NexoPlace  # noqa: PLC0415  # few terminals need it

        place = NexoPlace(
            terminal=terminal.name,
            state=terminal.state,
            host=settings.host,
            port=settings.port,
            certificate_name=settings.certificate_name,
        )
        nexo = NexoListener(counter, place, clock=self._clock, randomness=self._randomness)
        nexo.start()
        return nexo

    def _make_uplink(self, keys: TerminalKeys, journal: Journal) -> Uplink:
        terminal, broker, files = self._settings.terminal, self._settings.broker, self._settings.keys
        topics = TerminalTopics(terminal.mall, terminal.name)
        link = LinkSettings(
            host=broker.host,
            port=broker.port,
            client_id=f"tillwave-{terminal.name}",
            authority=files.authority,
            certificate=files.tls_certificate,
            key=files.tls_key,
            filters=(topics.all_down, beat_topic(terminal.mall)),
            will_topic=topics.presence,
            will=presence("lost", _software(), journal.head.number),
        )
        identity = Identity(
            mall=terminal.mall,
            terminal=terminal.name,
            software=_software(),
            signer=keys.signer,
            certificate=keys.certificate,
            settlement_key=keys.settlement_key,
        )
        return Uplink(identity, link, journal=journal, clock=self._clock, randomness=self._randomness)

    def _make_counter(self, keys: TerminalKeys, journal: Journal, uplink: Uplink) -> Counter:
        settings = self._settings
        till = Till(
            CounterSettings(
                terminal=settings.terminal.name,
                currency=settings.terminal.currency,
                merchant=settings.merchant.details(),
                timing=settings.checkout,
                offline=settings.offline,
                software=_software(),
                settings_hash=self._settings_hash,
                bound_sound=settings.sound.bound_only,
            ),
            journal=journal,
            line=uplink,
            clock=self._clock,
            randomness=self._randomness,
        )
        catalogue = _catalogue(settings)
        classifier = Classifier(
            settings.codes, members=settings.member_codes, layouts=settings.goods.layouts, sells=catalogue.sells
        )
        presenter = Presenter(
            till, classifier=classifier, catalogue=catalogue, issuer=keys.settlement_key, rules=settings.goods
        )
        return Counter(till, presenter, self._supervisor)

    def _supervisor(self, badge: str) -> str:
        for supervisor in self._settings.supervisors:
            if is_badge(badge, supervisor.badge_hash):
                return supervisor.name
        return ""

    def _make_devices(self, counter: Counter, pairing: Pairing, echoes: Echoes) -> Devices:
        loop = asyncio.get_running_loop()

        def on_loop(call: Callable[[_Argument], None]) -> Callable[[_Argument], None]:
            return lambda argument: _hand_over(loop, call, argument)

        def health(name: str, state: Health) -> None:
            _hand_over(loop, lambda _: counter.device_health(name, state), None)

        def open_pairing(_: None) -> None:
            pairing.open()

        return Devices(
            self._settings.devices,
            read=on_loop(echoes.take),
            pressed=lambda: _hand_over(loop, open_pairing, None),
            tampered=on_loop(lambda is_open: counter.tampered(is_open=is_open)),
            health=health,
            waveforms=self._settings.sound.waveforms,
            guide=on_loop(self._guide.take),
            notice=lambda device, sound: _hand_over(loop, lambda _: self._notice(counter, device, sound), None),
            jamming=self._settings.sound.jamming,
        )

    def _notice(self, counter: Counter, device: str, sound: Sound) -> None:
        """Hand on what a microphone tells besides tokens."""
        match sound:
            case Sound.UNCLEAR:
                counter.sound_unclear()
            case Sound.NOISE | Sound.PREAMBLES | Sound.QUIET:
                counter.sound_jammed(device, "" if sound is Sound.QUIET else sound.value)
            case _ if self._voice is not None:
                self._voice.hear(device, sound)
            case _:
                pass


def _hand_over(loop: asyncio.AbstractEventLoop, call: Callable[[_Argument], None], argument: _Argument) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: the terminal has stopped
        loop.call_soon_threadsafe(call, argument)


def _at_a_new_sale(rearm: Callable[[], None]) -> Callable[[CounterView], None]:
    """Call `rearm` once for each sale that begins."""
    begun = ""

    def follow(view: CounterView) -> None:
        nonlocal begun
        if view.sale is not None and view.sale.sale != begun:
            begun = view.sale.sale
            rearm()

    return follow


async def _until(condition: Callable[[], bool], longest_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            while not condition():  # noqa: ASYNC110 - nothing tells when the last record is receipted
                await asyncio.sleep(_TICK_S / 2)


def _sections(devices: Devices) -> list[Section]:
    """Give what the technician's page shows beside the list of devices."""
    sections: list[Section] = []
    if devices.cameras:
        sections.append(CameraSection(devices.cameras))
    if devices.ears or devices.speakers:
        from device.listening import SoundSection  # noqa: PLC0415  # brings numpy

        sections.append(SoundSection(devices.ears, devices.speakers))
    return sections


def _software() -> str:
    return version("tillwave")


def _server_settings(settings: Settings) -> ServerSettings:
    return ServerSettings(
        host=settings.server.host,
        names=settings.server.names,
        shop=settings.merchant.local_name or settings.merchant.name,
        currency=settings.terminal.currency,
        language=settings.terminal.language,
    )


def _catalogue(settings: Settings) -> Catalogue:
    if settings.checkout.catalogue is None:
        return Catalogue.empty(settings.terminal.currency)
    return Catalogue.load(settings.checkout.catalogue, settings.terminal.currency)
