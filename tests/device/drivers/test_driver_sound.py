"""Sound: numbers, the search for devices, and what happens without any."""

import sys
import threading

import numpy as np
import pytest
from driver_stand import wait_until
from hypothesis import given
from hypothesis import strategies as st

from device.drivers import microphone as driver
from device.drivers import portaudio
from device.drivers.channels import one_channel
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverUnsupported
from device.drivers.pcm import on_all_channels, read_wav, resample, to_float, to_int16, write_wav
from device.drivers.registry import make_driver
from device.ports import HealthState


def tone(hertz, seconds, rate_hz):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz).astype(np.float32)


def test_loud_samples_are_cut_and_not_wrapped():
    assert list(to_int16(np.array([-3.0, -1.0, 0.0, 1.0, 3.0, np.nan]))) == [-32767, -32767, 0, 32767, 32767, 0]


@given(st.lists(st.integers(-32767, 32767)))
def test_samples_survive_the_way_to_float_and_back(samples):
    pcm = np.array(samples, dtype=np.int16)
    assert np.array_equal(to_int16(to_float(pcm)), pcm)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 48_000), (48_000, 44_100), (16_000, 48_000), (48_000, 16_000)])
def test_tone_keeps_pitch_length_and_strength_at_another_rate(from_hz, to_hz):
    changed = resample(tone(3000, 0.5, from_hz), from_hz, to_hz)
    assert len(changed) == to_hz // 2
    expected = tone(3000, 0.5, to_hz)
    assert np.abs(changed - expected)[200:-200].max() < 0.02


@pytest.mark.parametrize("from_hz", [8000, 44_100])
def test_tone_above_half_the_rate_disappears(from_hz):
    changed = resample(tone(3900, 0.5, from_hz) if from_hz == 8000 else tone(12_000, 0.5, from_hz), from_hz, 6000)
    assert np.abs(changed[200:-200]).max() < 0.05


def test_wav_file_comes_back_as_it_was_written(tmp_path):
    pcm = to_int16(tone(1000, 0.1, 16_000))
    write_wav(tmp_path / "a.wav", pcm, 16_000)
    samples, rate_hz = read_wav(tmp_path / "a.wav")
    assert rate_hz == 16_000
    assert np.array_equal(samples, pcm)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVEjunk", b"not a wav file at all" * 10])
def test_file_that_is_no_wav_is_refused(tmp_path, content):
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad.wav: not a WAV file"):
        read_wav(tmp_path / "bad.wav")


class Sound:
    """The part of sounddevice that finds devices."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self, *devices, rates=(48_000,), channels=(1, 2), trouble=("Invalid sample rate", -9997)):
        self.devices = [
            {
                "index": number,
                "name": name,
                "hostapi": number % 2,
                "max_input_channels": inputs,
                "max_output_channels": outputs,
                "default_samplerate": 44_100.0,
            }
            for number, (name, inputs, outputs) in enumerate(devices)
        ]
        self.rates = rates
        self.channels = channels
        self.trouble = trouble

    def query_hostapis(self):
        return [{"name": "ALSA"}, {"name": "JACK Audio Connection Kit"}]

    def query_devices(self):
        return self.devices

    def check_input_settings(self, *, device, channels, dtype, samplerate):
        if samplerate not in self.rates or channels not in self.channels:
            raise self.PortAudioError(*self.trouble)


BUILT_IN, USB = ("bcm2835 Headphones", 0, 8), ("USB PnP Sound Device: Audio (hw:1,0)", 1, 2)


def test_device_is_found_by_a_part_of_its_name():
    assert portaudio.find(Sound(BUILT_IN, USB), "mic", "usb pnp", "input").number == 1
    assert portaudio.find(Sound(BUILT_IN, USB), "mic", "", "input") is None


def test_device_without_the_right_direction_is_not_found():
    with pytest.raises(DeviceMissing, match=r'no sound input is called "bcm"; there are "USB PnP'):
        portaudio.find(Sound(BUILT_IN, USB), "mic", "bcm", "input")
    with pytest.raises(DeviceMissing, match="there is no sound input: is the sound device plugged in"):
        portaudio.find(Sound(BUILT_IN), "mic", "", "input")


def test_first_rate_that_the_device_takes_is_chosen():
    assert choose(Sound(rates=(16_000, 44_100))) == portaudio.Format(44_100, 1)
    with pytest.raises(DeviceFailed, match=r"takes none of the rates 48000, 44100, 16000: .*Invalid sample rate"):
        choose(Sound(rates=()))


def choose(sound, **options):
    return portaudio.choose_format(sound, "mic", None, "input", portaudio.RATES_HZ, **options)


def test_device_that_gives_no_single_channel_gives_two():
    assert choose(Sound(channels=(2,))) == portaudio.Format(48_000, 2)
    assert choose(Sound(), least=2) == portaudio.Format(48_000, 2)


@pytest.mark.parametrize("trouble", [("Unanticipated host error", -9999), ("Device unavailable", -9985)])
def test_device_that_cannot_be_asked_is_missing_and_not_broken(trouble):
    with pytest.raises(DeviceMissing, match=trouble[0]):
        choose(Sound(rates=(), trouble=trouble))


def test_device_is_found_by_its_host_api():
    sound = Sound(USB, USB)
    assert portaudio.find(sound, "mic", "usb", "input", "alsa").number == 0
    assert portaudio.find(sound, "mic", "usb", "input", "jack").number == 1
    assert portaudio.find(sound, "mic", "", "input", "jack").number == 1
    with pytest.raises(DeviceMissing, match=r'no sound input is called "usb" of OSS; there are "USB PnP .*" \(ALSA\)'):
        portaudio.find(sound, "mic", "usb", "input", "OSS")


def test_one_channel_is_taken_and_put_on_all():
    both = np.array([1, -2, 3, -4], "<i2").tobytes()
    assert np.frombuffer(one_channel(both, 2, 1), "<i2").tolist() == [1, 3]
    assert np.frombuffer(one_channel(both, 2, 2), "<i2").tolist() == [-2, -4]
    assert one_channel(both, 1, 1) == both
    assert on_all_channels(np.array([5, 6], np.int16), 2).tolist() == [5, 5, 6, 6]


@pytest.mark.parametrize("kind", ["microphone", "speaker"])
def test_sound_device_that_is_not_there_is_missing(kind):
    subject = make_driver(kind, "sounddevice", "sound", {"device": "no such sound device"})
    subject.start()
    assert wait_until(lambda: subject.health.state is HealthState.MISSING, 10.0)
    assert "sound" in subject.health.detail
    if kind == "speaker":
        subject.play(np.zeros(100, np.float32), 48_000)
    subject.stop()
    assert subject.health.state is HealthState.STOPPED


@pytest.mark.parametrize("kind", ["microphone", "speaker"])
def test_machine_without_portaudio_says_what_to_install(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    subject = make_driver(kind, "sounddevice", "sound", {})
    with pytest.raises(DriverUnsupported, match="apt install libportaudio2"):
        subject.start()
    assert subject.health.state is HealthState.FAILED


class Flags:
    def __init__(self, *, input_overflow=False):
        self.input_overflow = input_overflow


class Stream:
    """A stream of a sound card that works, has gaps, or goes away."""

    def __init__(self, card, callback=None, channels=1, **_):
        self.card, self.callback, self.channels = card, callback, channels
        self.active = False
        card.streams.append(self)

    def start(self):
        self.active = True
        self.card.calls.append("start")

    def write(self, piece):
        self.card.played += piece
        self.card.calls.append("write")
        if self.card.goes_away:
            raise self.card.PortAudioError("Unanticipated host error", -9999)
        return len(self.card.played) == len(piece)  # the first one is torn

    def stop(self, ignore_errors=False):
        self.card.calls.append("stop")

    def abort(self, ignore_errors=False):
        self.card.calls.append("abort")
        if self.card.never_ends is not None:
            self.card.never_ends.wait(60)

    def close(self, ignore_errors=False):
        self.active = False
        self.card.calls.append("close")


class Card(Sound):
    """A sounddevice with one card that takes two channels only."""

    def __init__(self, *, goes_away=False, never_ends=None):
        super().__init__(("Card", 2, 2), channels=(2,))
        self.goes_away = goes_away
        self.never_ends = never_ends
        self.streams = []
        self.calls = []
        self.played = b""

    def RawInputStream(self, **options):  # noqa: N802 - sounddevice's name
        return Stream(self, **options)

    RawOutputStream = RawInputStream

    def check_output_settings(self, **settings):
        self.check_input_settings(**settings)

    def _terminate(self):
        pass

    _initialize = _terminate


def on_card(card, kind, monkeypatch, **options):
    monkeypatch.setitem(sys.modules, "sounddevice", card)
    return make_driver(kind, "sounddevice", "sound", {"device": "Card"} | options)


def test_gaps_are_counted_and_one_channel_is_delivered(monkeypatch):
    card, delivered = Card(), []
    microphone = on_card(card, "microphone", monkeypatch, channel=2)
    for patience in ("_FIRST_SOUND_MS", "_SILENT_MS", "_NOT_LATELY_MS"):
        monkeypatch.setattr(driver, patience, 60_000)  # a machine that is busy elsewhere is not a card that fell silent
    microphone.listen(delivered.append)
    microphone.start()
    assert wait_until(lambda: card.calls == ["start"])
    (stream,) = card.streams
    assert stream.channels == 2
    assert microphone.health.state is HealthState.STARTING  # nothing has come yet
    stream.callback(np.array([1, 2, 3, 4], "<i2").tobytes(), 2, None, Flags())
    stream.callback(np.array([5, 6], "<i2").tobytes(), 1, None, Flags(input_overflow=True))
    assert wait_until(lambda: microphone.health.state is HealthState.WORKING)
    microphone.stop()
    assert [np.frombuffer(piece.pcm, "<i2").tolist() for piece in delivered] == [[2, 4], [6]]
    assert microphone.overruns == 1
    assert card.calls == ["start", "stop", "close"]


def test_microphone_that_fell_silent_is_aborted_because_a_stop_could_wait_for_ever(monkeypatch):
    card = Card()
    microphone = on_card(card, "microphone", monkeypatch)
    microphone.start()
    assert wait_until(lambda: "abort" in card.calls, 20.0)
    assert wait_until(lambda: microphone.health.state is HealthState.MISSING or len(card.streams) > 1)
    microphone.stop()
    assert card.calls[:3] == ["start", "abort", "close"]


def test_stream_that_cannot_be_ended_is_left_behind_and_the_device_is_heard_again(monkeypatch):
    freed = threading.Event()
    card = Card(never_ends=freed)
    microphone = on_card(card, "microphone", monkeypatch)
    monkeypatch.setattr(portaudio, "_streams", portaudio._Streams())  # what is left behind counts for the whole process
    microphone.start()
    assert wait_until(lambda: card.calls.count("start") > 1, 30.0)
    freed.set()
    card.streams[-1].callback(bytes(4), 1, None, Flags())
    assert wait_until(lambda: microphone.health.state is HealthState.WORKING)
    microphone.stop()
    assert portaudio._streams.open == 1


def test_torn_sounds_are_counted_and_played_on_both_channels(monkeypatch):
    card = Card()
    speaker = on_card(card, "speaker", monkeypatch)
    speaker.start()
    speaker.play(np.full(4800, 0.5, np.float32), 48_000)
    assert wait_until(lambda: "close" in card.calls)
    speaker.stop()
    assert speaker.underruns == 1
    played = np.frombuffer(card.played, "<i2").reshape(-1, 2)
    assert (played[:, 0] == played[:, 1]).all()
    assert np.count_nonzero(played[:, 0]) == 4800
    assert (card.calls[0], card.calls[-2:]) == ("start", ["stop", "close"])


def test_loudspeaker_that_goes_away_while_it_plays_is_missing_and_not_waited_for(monkeypatch):
    card, healths = Card(goes_away=True), []
    speaker = on_card(card, "speaker", monkeypatch)
    speaker.watch(lambda _, health: healths.append(health.state))
    speaker.start()
    speaker.play(np.full(4800, 0.5, np.float32), 48_000)
    assert wait_until(lambda: HealthState.MISSING in healths)
    speaker.stop()
    assert card.calls == ["start", "write", "close"]
