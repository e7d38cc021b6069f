"""The bench works a simulated terminal from outside, and refuses nonsense."""

import json
import socket
import threading
import time

import numpy as np
import pytest
import zxingcpp
from driver_rigs import (
    SimulatedButtonRig,
    SimulatedCameraRig,
    SimulatedLampsRig,
    SimulatedMicrophoneRig,
    SimulatedScannerRig,
    SimulatedTamperRig,
    wait_until,
)
from PIL import Image

from device.drivers.base import Lamp, Light
from device.drivers.errors import DeviceFailed, DeviceMissing
from device.drivers.pcm import write_wav
from device.drivers.registry import make_driver
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.control import LONGEST_REQUEST, NoSuchDevice, Refused
from device.drivers.simulated.script import BadScript, read_script, run_script
from device.ports import HealthState

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"


@pytest.fixture
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    rig.subject.start()
    yield rig
    rig.close()


@pytest.fixture
def camera(tmp_path):
    options = {"bench": str(tmp_path), "frames_per_second": 50.0}
    camera = make_driver("camera", "simulated", "front", options)
    camera.start()
    yield camera
    camera.stop()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, patience_s=0.5)


on = pytest.mark.parametrize


def read_codes(camera, frames=1) -> list[bytes]:
    codes = []
    for _ in range(frames):
        codes += [code.bytes for code in zxingcpp.read_barcodes(camera.read(1.0))]
    return codes


@on(
    "how",
    [{}, {"tilt_degrees": 40, "nod_degrees": -20, "turn_degrees": 130, "noise": 15.0, "blur": 1.0}, {"size": 0.3}],
)
def test_qr_code_before_the_camera_can_be_read(camera, bench, how):
    assert read_codes(camera) == []
    bench.show_qr(TOKEN, **how)
    assert read_codes(camera, 3) == [TOKEN.encode()] * 3


def test_qr_code_of_bytes_keeps_its_bytes(camera, bench):
    raw = bytes([0x00, 0xFF, 0x80, 0x1D, *range(20)])
    bench.show_qr(raw)
    assert read_codes(camera) == [raw]


def test_every_frame_has_other_noise(camera, bench):
    bench.show_qr(TOKEN)
    assert not np.array_equal(camera.read(1.0), camera.read(1.0))


def test_code_is_shown_for_so_many_frames(camera, bench):
    bench.show_qr(TOKEN, frames=2)
    assert read_codes(camera, 4) == [TOKEN.encode()] * 2


def test_code_is_shown_for_so_long(camera, bench):
    bench.show_qr(TOKEN, seconds=0.1)
    assert read_codes(camera) == [TOKEN.encode()]
    time.sleep(0.1)
    assert read_codes(camera) == []


def test_view_is_cleared(camera, bench):
    bench.show_qr(TOKEN)
    bench.clear_view()
    assert read_codes(camera) == []


def test_picture_of_a_file_and_of_an_array(camera, bench, tmp_path):
    code = zxingcpp.create_barcode("6901234567892", zxingcpp.BarcodeFormat.EAN13)
    gray = np.array(zxingcpp.write_barcode_to_image(code, scale=4, add_quiet_zones=True))
    Image.fromarray(gray).save(tmp_path / "goods.png")
    bench.show_picture(tmp_path / "goods.png", size=0.5)
    assert read_codes(camera) == [b"6901234567892"]
    bench.clear_view()
    bench.show_picture(gray, size=0.5, tilt_degrees=20)
    assert read_codes(camera) == [b"6901234567892"]


def test_camera_keeps_its_pace(camera):
    camera.read(1.0)
    begun = time.monotonic()
    for _ in range(10):
        assert camera.read(1.0) is not None
    assert 0.15 < time.monotonic() - begun < 0.6


def test_frame_that_is_not_due_is_not_waited_for(camera):
    camera.read(1.0)
    assert camera.read(0.001) is None


def test_frozen_camera_gives_neither_frame_nor_error_until_a_new_start(camera, bench):
    bench.break_device("camera", "front", "freeze")
    assert camera.read(0.1) is None
    assert camera.health.state is HealthState.WORKING
    camera.stop()
    camera.start()
    assert camera.read(1.0) is not None


def test_hanging_camera_keeps_its_reader_until_it_is_stopped(camera, bench):
    bench.break_device("camera", "front", "hang")
    reader = threading.Thread(target=camera.read, args=(0.05,))
    reader.start()
    reader.join(0.3)
    assert reader.is_alive()
    camera.stop()
    reader.join(1.0)
    assert not reader.is_alive()


def test_busy_camera_is_missing_until_it_is_free(camera, bench):
    bench.break_device("camera", "front", "busy")
    with pytest.raises(DeviceMissing, match="another process"):
        camera.read(0.05)
    assert camera.health.state is HealthState.MISSING
    bench.mend_device("camera", "front")
    assert camera.read(1.0) is not None


def test_camera_without_memory_does_not_start(camera, bench):
    camera.stop()
    bench.break_device("camera", "front", "no-memory")
    with pytest.raises(DeviceFailed, match="no contiguous memory"):
        camera.start()
    assert camera.health.state is HealthState.FAILED
    bench.mend_device("camera", "front")
    camera.start()
    assert camera.read(1.0) is not None


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
    assert 400 <= ends_ms - begun_ms <= 600
    assert wait_until(lambda: rig.delivered and rig.delivered[-1].at_ms > ends_ms)
    heard = sound(rig)
    assert abs(np.argmax(np.abs(np.fft.rfft(heard))) * 48_000 / len(heard) - 15_000) < 20
    loud = [piece for piece in rig.delivered if np.abs(np.frombuffer(piece.pcm, "<i2")).max() > 5000]
    assert abs(loud[-1].at_ms - ends_ms) < 60


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
        assert time.monotonic() - begun < 4.0


@on("rig", [SimulatedCameraRig], indirect=True)
@on(
    ("content", "how", "text"),
    [
        ("x" * 5000, {}, "no QR code holds that"),
        (TOKEN, {"tilt_degrees": 89}, "tilt_degrees"),
        (TOKEN, {"size": 0}, "size"),
        (TOKEN, {"frames": -1}, "frames"),
    ],
)
def test_view_that_cannot_be_shown_is_refused(rig, content, how, text):
    with pytest.raises(Refused, match=text):
        rig.bench.show_qr(content, camera="rig", **how)
    assert rig.deliver()


@on("rig", [SimulatedCameraRig], indirect=True)
def test_file_that_is_no_picture_is_refused(rig, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(Refused, match="not a picture"):
        rig.bench.show_picture(tmp_path / "no.png", camera="rig")


@on("rig", [SimulatedScannerRig], indirect=True)
def test_script_is_run_line_by_line(rig, tmp_path):
    script = tmp_path / "day.bench"
    script.write_text(
        "# a scanner comes and goes\n"
        "wait-for scanner rig\n"
        "type 6901234567892 scanner=rig aim=]E0 pieces=3,4 pause=1\n\n"
        "wait 0.05\n"
        "unplug scanner rig   # pulled out\n"
        "wait-for scanner rig missing seconds=2\n"
        "plug scanner rig\n"
        "type 'https://a.example/?x=1 2' scanner=rig\n",
        encoding="utf-8",
    )
    said = []
    run_script(rig.bench, script, said.append)
    assert wait_until(lambda: len(rig.delivered) == 2)
    assert [scan.raw for scan in rig.delivered] == [b"]E06901234567892", b"https://a.example/?x=1 2"]
    assert len(said) == 7
    assert said[3] == "unplug scanner rig"


@on(
    ("line", "text"),
    [
        ("fly", 'line 2: there is no command "fly"; known are wait, '),
        ("wait", 'line 2: "wait" takes 1 words'),
        ("wait-for camera", '"wait-for" takes 2 to 3 words'),
        ("show-qr X tilt=much", 'line 2: "much" is no value for "tilt"'),
        ("type 'open", "line 2: No closing quotation"),
    ],
)
def test_bad_script_is_refused_before_anything_is_done(tmp_path, line, text):
    script = tmp_path / "bad.bench"
    script.write_text(f"press\n{line}\n", encoding="utf-8")
    with pytest.raises(BadScript, match=text):
        read_script(script)
    with pytest.raises(BadScript, match=text):
        run_script(Bench(tmp_path, patience_s=0.0), script)


def test_script_says_which_line_a_device_refused(tmp_path):
    script = tmp_path / "lonely.bench"
    script.write_text("\npress\n", encoding="utf-8")
    with pytest.raises(BadScript, match=r"lonely.bench, line 2: no simulated button"):
        run_script(Bench(tmp_path, patience_s=0.0), script)
