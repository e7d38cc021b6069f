"""The bench works a simulated terminal from outside, and refuses nonsense."""

import json
import socket
import time

import numpy as np
import pytest
from driver_stand import wait_until
from simulated_rigs import (
    SimulatedButtonRig,
    SimulatedLampsRig,
    SimulatedMicrophoneRig,
    SimulatedScannerRig,
    SimulatedTamperRig,
)

from device.drivers.base import Lamp, Light
from device.drivers.errors import DeviceMissing
from device.drivers.pcm import write_wav
from device.drivers.registry import make_driver
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.control import LONGEST_REQUEST, NoSuchDevice, Refused
from device.ports import HealthState

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"


@pytest.fixture
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    rig.subject.start()
    yield rig
    rig.close()


on = pytest.mark.parametrize


@on("rig", [SimulatedScannerRig], indirect=True)
def test_code_torn_in_pieces_arrives_whole(rig):
    rig.bench.type_barcode(TOKEN, "]Q1", [1, 2, 20], pause_ms=30, scanner="rig")
    assert wait_until(lambda: [scan.raw for scan in rig.delivered] == [b"]Q1" + TOKEN.encode()])


@on("rig", [SimulatedScannerRig], indirect=True)
def test_babbling_scanner_delivers_nothing_and_works_when_mended(rig):
    rig.bench.break_device("scanner", "rig", "babble")
    time.sleep(0.3)
    assert rig.delivered == []
    rig.bench.mend_device("scanner", "rig")
    rig.bench.type_barcode("lost in the noise", scanner="rig")
    rig.bench.type_barcode("690", scanner="rig")
    assert wait_until(lambda: [scan.raw for scan in rig.delivered] == [b"690"])


@on("rig", [SimulatedScannerRig], indirect=True)
def test_flooding_scanner_is_slowed_down_and_called_broken_until_it_is_mended(rig):
    rig.bench.break_device("scanner", "rig", "flood")
    assert rig.subject.health.state is HealthState.FAILED
    assert wait_until(lambda: len(rig.delivered) > 40)
    rig.bench.mend_device("scanner", "rig")
    assert rig.subject.health.state is HealthState.WORKING
    flooded = len(rig.delivered)
    time.sleep(0.1)
    rig.bench.type_barcode("690", scanner="rig")
    assert wait_until(lambda: rig.delivered[-1].raw == b"690")
    assert len(rig.delivered) < flooded + 30


@on("rig", [SimulatedScannerRig], indirect=True)
def test_code_typed_while_unplugged_is_lost(rig):
    rig.unplug()
    rig.bench.type_barcode("lost", scanner="rig")
    time.sleep(0.05)
    rig.plug()
    rig.bench.type_barcode("kept", scanner="rig")
    assert wait_until(lambda: [scan.raw for scan in rig.delivered] == [b"kept"])


def sound(rig) -> np.ndarray:
    return np.frombuffer(b"".join(piece.pcm for piece in rig.delivered), "<i2").astype(float)


def tone(hertz: float, seconds: float, rate_hz: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


@on("rig", [SimulatedMicrophoneRig], indirect=True)
def test_microphone_hears_a_tone_of_another_rate_in_real_time(rig):
    begun_ms = time.monotonic_ns() // 1_000_000
    ends_ms = rig.bench.play_samples(tone(15_000, 0.4, 44_100), 44_100, microphone="rig")
    assert 350 <= ends_ms - begun_ms <= 1500, "0.4 s, within a piece that is being delivered already"
    assert wait_until(lambda: rig.delivered and rig.delivered[-1].at_ms > ends_ms)
    heard = sound(rig)
    assert abs(np.argmax(np.abs(np.fft.rfft(heard))) * 48_000 / len(heard) - 15_000) < 20
    loud = [piece for piece in rig.delivered if np.abs(np.frombuffer(piece.pcm, "<i2")).max() > 5000]
    assert abs(loud[-1].at_ms - ends_ms) < 250


@on("rig", [SimulatedMicrophoneRig], indirect=True)
def test_microphone_hears_a_wav_file(rig, tmp_path):
    write_wav(tmp_path / "tone.wav", tone(2000, 0.1, 48_000), 48_000)
    rig.bench.play_wav(tmp_path / "tone.wav", microphone="rig")
    assert wait_until(lambda: len(rig.delivered) > 8 and np.abs(sound(rig)).max() > 10_000)


@on("rig", [SimulatedMicrophoneRig], indirect=True)
def test_silence_has_noise_and_the_shop_has_more(rig):
    assert wait_until(lambda: len(rig.delivered) > 4)
    quiet = sound(rig).std()
    assert 5 < quiet < 50
    rig.bench.shop_noise(0.05, microphone="rig")
    heard = len(rig.delivered)
    assert wait_until(lambda: len(rig.delivered) > heard + 5)
    assert sound(rig)[-3000:].std() > 500


@on("rig", [SimulatedMicrophoneRig], indirect=True)
def test_microphone_that_drops_pieces_leaves_gaps(rig):
    assert wait_until(lambda: rig.delivered)
    rig.bench.break_device("microphone", "rig", "drops")
    before, begun = len(rig.delivered), time.monotonic()
    time.sleep(0.8)
    expected = (time.monotonic() - begun) * 48_000 / 1024
    assert 0.4 * expected < len(rig.delivered) - before < 0.95 * expected


@on("rig", [SimulatedTamperRig], indirect=True)
def test_case_that_cannot_be_felt_counts_as_open(rig):
    rig.unplug()
    assert rig.delivered == [False, True]
    rig.plug()
    rig.bench.break_device("tamper", "rig", "unreadable")
    assert rig.delivered == [False, True, False, True]
    assert rig.subject.health.state is HealthState.FAILED


@on("rig", [SimulatedButtonRig], indirect=True)
def test_unplugged_button_feels_nothing(rig):
    rig.unplug()
    assert not rig.bench.press_button(button="rig")
    assert rig.delivered == []


@on("rig", [SimulatedLampsRig], indirect=True)
def test_history_of_the_lamps(rig):
    rig.subject.show(Lamp.WORKING, Light.BLINK)
    rig.subject.show(Lamp.WORKING, Light.OFF)
    history = rig.bench.lamp_history(lamps="rig")
    assert [event[1:] for event in history] == [(Lamp.WORKING, Light.BLINK), (Lamp.WORKING, Light.OFF)]


@on("rig", [SimulatedLampsRig], indirect=True)
def test_devices_are_listed_with_their_faults(rig):
    (seen,) = rig.bench.devices()
    assert (seen.kind, seen.name, seen.plugged, seen.health) == ("lamps", "rig", True, "working")
    assert set(seen.faults) == {"dark"}


def test_fault_outlasts_a_restart(tmp_path):
    rig = SimulatedScannerRig(tmp_path)
    rig.bench.break_device("scanner", "rig", "deaf")
    rig.subject.start()
    assert rig.bench.devices()[0].fault == "deaf"
    rig.close()


@on("rig", [SimulatedLampsRig], indirect=True)
def test_unknown_fault_and_unknown_device_are_told_what_there_is(rig):
    with pytest.raises(Refused, match='cannot break by "freeze"; known are: dark'):
        rig.bench.break_device("lamps", "rig", "freeze")
    with pytest.raises(NoSuchDevice, match=r'no simulated camera "front" listens in .* running'):
        Bench(rig.bench.folder, patience_s=0.0).show_qr("x")


@on("rig", [SimulatedLampsRig], indirect=True)
def test_second_terminal_on_the_same_bench_is_refused(rig):
    second = rig.make()
    with pytest.raises(DeviceMissing, match="in use by another terminal"):
        second.start()
    rig.subject.show(Lamp.READY, Light.ON)
    assert rig.bench.lamps(lamps="rig")[Lamp.READY] is Light.ON


def test_socket_of_a_killed_terminal_is_taken_over(tmp_path):
    rig = SimulatedLampsRig(tmp_path)
    rig.bench.folder.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(rig.bench.folder / "lamps-rig.sock"))
    assert rig.bench.devices() == []
    rig.subject.start()
    assert len(rig.bench.devices()) == 1
    rig.close()


def test_bench_in_a_very_deep_folder(tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    subject = make_driver("lamps", "simulated", "lamps", {"bench": str(deep)})
    subject.start()
    assert Bench(deep).lamps()[Lamp.READY] is Light.OFF
    assert (deep / "lamps-lamps.sock").stat().st_mode & 0o777 == 0o600
    subject.stop()


def ask_raw(rig, line: bytes) -> dict:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(rig.bench.folder / "scanner-rig.sock"))
        peer.sendall(line)
        peer.shutdown(socket.SHUT_WR)
        return json.loads(peer.makefile("rb").readline())


@on("rig", [SimulatedScannerRig], indirect=True)
@on(
    "line",
    [
        b"",
        b"\n",
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"do":"fly"}\n',
        b'{"do":"type"}\n',
        b'{"do":"type","data":"!"}\n',
        b'{"do":"type","data":"MQ==","extra":1}\n',
        b'{"do":"type","data":"MQ==","pieces":[0]}\n',
        b'{"do":"type","data":"MQ=="}',
        b'{"do":"show","text":"x"}\n',
        b"\xff\xfe\n",
    ],
)
def test_nonsense_is_refused_and_changes_nothing(rig, line):
    assert "error" in ask_raw(rig, line)
    assert rig.subject.health.state is HealthState.WORKING
    assert rig.deliver()
    assert len(rig.delivered) == 1


@on("rig", [SimulatedScannerRig], indirect=True)
def test_endless_request_is_cut_off(rig):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(rig.bench.folder / "scanner-rig.sock"))
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            for _ in range(LONGEST_REQUEST // 65_536 + 100):
                peer.sendall(b"x" * 65_536)
    assert rig.deliver()


@on("rig", [SimulatedScannerRig], indirect=True)
def test_silent_peer_does_not_block_the_bench(rig):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(rig.bench.folder / "scanner-rig.sock"))
        begun = time.monotonic()
        assert rig.deliver()
        assert time.monotonic() - begun < 20.0
