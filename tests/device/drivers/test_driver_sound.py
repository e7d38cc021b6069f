"""Sound: numbers, the search for devices, and what happens without any."""

import sys

import numpy as np
import pytest
from driver_stand import wait_until
from hypothesis import given
from hypothesis import strategies as st

from device.drivers import portaudio
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverUnsupported
from device.drivers.pcm import read_wav, resample, to_float, to_int16, write_wav
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

    def __init__(self, *devices, rates=(48_000,)):
        self.devices = [
            {"index": number, "name": name, "max_input_channels": inputs, "max_output_channels": outputs}
            for number, (name, inputs, outputs) in enumerate(devices)
        ]
        self.rates = rates

    def query_devices(self):
        return self.devices

    def check_input_settings(self, *, device, channels, dtype, samplerate):
        if samplerate not in self.rates:
            raise self.PortAudioError("Invalid sample rate")


BUILT_IN, USB = ("bcm2835 Headphones", 0, 8), ("USB PnP Sound Device: Audio (hw:1,0)", 1, 2)


def test_device_is_found_by_a_part_of_its_name():
    assert portaudio.find(Sound(BUILT_IN, USB), "mic", "usb pnp", "input") == 1
    assert portaudio.find(Sound(BUILT_IN, USB), "mic", "", "input") is None


def test_device_without_the_right_direction_is_not_found():
    with pytest.raises(DeviceMissing, match=r'no sound input is called "bcm"; there are "USB PnP'):
        portaudio.find(Sound(BUILT_IN, USB), "mic", "bcm", "input")
    with pytest.raises(DeviceMissing, match="there is no sound input: is the sound device plugged in"):
        portaudio.find(Sound(BUILT_IN), "mic", "", "input")


def test_first_rate_that_the_device_takes_is_chosen():
    assert portaudio.choose_rate(Sound(rates=(16_000, 44_100)), "mic", None, "input", portaudio.RATES_HZ) == 44_100
    with pytest.raises(DeviceFailed, match="takes none of the rates 48000, 44100, 16000: Invalid sample rate"):
        portaudio.choose_rate(Sound(rates=()), "mic", None, "input", portaudio.RATES_HZ)


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
