import builtins
import sys

import numpy as np
import pytest

from skser.audio import _microphone
from skser.audio._microphone import InputDevice, Microphone, find_device, input_devices
from skser.exceptions import AudioError, AudioWarning, MissingDependencyError, ParameterError

from .sounddevice_double import SoundDevice

MANY = [("Built-in", 2, 48000), ("USB Audio 1", 1, 44100), ("USB Audio", 1, 16000), ("HDMI", 0, 1)]


@pytest.fixture
def install(monkeypatch):
    """Put a stand-in in the place of sounddevice."""

    def put(*arguments, **options):
        module = SoundDevice(*arguments, **options)
        monkeypatch.setitem(sys.modules, "sounddevice", module)
        return module

    return put


def recorded(channel="mean"):
    """What the default device had recorded when it was ended."""
    with Microphone(find_device(None), channel, too_slow="wait") as microphone:
        return np.concatenate(list(microphone.blocks(lambda: True)))


def noise(seconds, n_channels=2, sr=44100):
    return np.random.default_rng(0).normal(0, 0.1, (int(seconds * sr), n_channels)).astype("f4")


def test_devices(install):
    install(devices=MANY)
    assert input_devices() == [
        InputDevice(0, "Built-in, ALSA", 2, 48000, True),
        InputDevice(1, "USB Audio 1, ALSA", 1, 44100, False),
        InputDevice(2, "USB Audio, ALSA", 1, 16000, False),
    ]


@pytest.mark.parametrize(
    ("given", "number"),
    [(None, 0), ("1", 1), ("usb audio 1", 1), ("USB Audio", 2), ("built", 0), ("dio, alsa", 2)],
)
def test_a_device_is_found(given, number, install):
    install(devices=MANY)
    assert find_device(given).number == number


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "webcam",
            "device must be the number or a part of the name of an input device, got 'webcam': "
            "0 Built-in, ALSA; 1 USB Audio 1, ALSA; 2 USB Audio, ALSA",
        ),
        (
            "3",
            "device must be the number or a part of the name of an input device, got '3': "
            "0 Built-in, ALSA; 1 USB Audio 1, ALSA; 2 USB Audio, ALSA",
        ),
        (
            "usb",
            "device must name one input device, got 'usb': 1 USB Audio 1, ALSA; 2 USB Audio, ALSA",
        ),
    ],
)
def test_devices_that_are_none(given, message, install):
    install(devices=MANY)
    with pytest.raises(ParameterError) as error:
        find_device(given)
    assert str(error.value) == message


def test_no_default_device(install):
    install(devices=[("HDMI", 0, 48000), ("Mic", 1, 48000)])
    with pytest.raises(ParameterError, match=r"^device must be named where none .*: 1 Mic, ALSA$"):
        find_device(None)


@pytest.mark.parametrize("devices", [[], [("HDMI", 0, 48000)]])
def test_no_microphone(devices, install):
    install(devices=devices)
    with pytest.raises(AudioError, match=r"^no microphone: PortAudio finds no input device"):
        find_device("0")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportError("No module"), r"needs sounddevice: python -m pip install 'skser\[live\]'$"),
        (OSError("PortAudio library not found"), "needs the library PortAudio: .*install"),
    ],
)
def test_missing_libraries(error, message, monkeypatch):
    original = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "sounddevice":
            raise error
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingDependencyError, match=message):
        input_devices()


def test_blocks_are_the_mean_or_a_channel(install):
    samples = noise(1.25)
    module = install(samples)
    np.testing.assert_allclose(recorded(), samples.mean(axis=1), atol=1e-7)
    np.testing.assert_array_equal(recorded(0), samples[:, 0])
    np.testing.assert_array_equal(recorded(1), samples[:, 1])
    assert [stream.options["channels"] for stream in module.opened] == [2, 1, 2]
    assert all(stream.closed for stream in module.opened)
    assert {stream.options["samplerate"] for stream in module.opened} == {44100}


def test_a_device_that_stops(install):
    samples = noise(1.0, 1)
    install(samples, devices=[("Mic", 1, 44100)])
    read = []
    with (
        Microphone(find_device(None), too_slow="wait") as microphone,
        pytest.raises(AudioError) as error,
    ):
        read.extend(microphone.blocks(lambda: False))
    assert sum(map(len, read)) == 44100  # what came before is there
    assert str(error.value) == "Mic, ALSA: has stopped recording; is it still connected?"


def test_channels_that_cancel(install):
    wave = noise(2.5, 1)[:, 0]
    install(np.stack([wave, -wave], axis=1))
    with pytest.warns(AudioWarning, match="Mic, ALSA: its channels cancel in their mean, so chann"):
        read = recorded()
    np.testing.assert_array_equal(read[44100:], wave[44100:])


def test_audio_that_is_lost_is_zero_and_said_once(install, monkeypatch):
    monkeypatch.setattr(_microphone, "_QUEUE_SECONDS", 1)
    samples = noise(2, 1, 16000)
    module = install(samples, devices=[("Mic", 1, 16000)])
    with Microphone(find_device(None), too_slow="a longer hop helps") as microphone:
        over = iter([False] * 10)  # takes all that fitted in
        blocks = microphone.blocks(lambda: next(over, True))
        read = [next(blocks) for _ in range(10)]
        callback = module.opened[0].options["callback"]
        status = type("Flags", (), {"input_overflow": False})
        callback(samples[:1600], 1600, None, status)
        with pytest.warns(AudioWarning) as caught:
            read += blocks
    assert [str(warning.message) for warning in caught] == [
        "Mic, ALSA: audio was lost, because this machine is too slow; a longer hop helps"
    ]
    read = np.concatenate(read)
    np.testing.assert_array_equal(read[:16000], samples[:16000, 0])
    assert not read[16000:32000].any()
    np.testing.assert_array_equal(read[32000:], samples[:1600, 0])


def test_an_overflow_of_the_device_is_said(install):
    install(noise(0.5)).overflows = True
    with pytest.warns(AudioWarning, match="audio was lost, because this machine is too slow; wait"):
        assert len(recorded()) == 22050


def test_a_muted_device_is_said_once(install):
    install(np.zeros((44100 * 12, 2), np.float32))
    with pytest.warns(AudioWarning, match="only zeros so far; is it muted") as caught:
        recorded()
    assert len(caught) == 1


def test_a_device_with_all_channels_or_none(install):
    samples = noise(0.3, 4)
    module = install(samples, devices=[("Array", 4, 44100)], refuses=[2])
    np.testing.assert_allclose(recorded(), samples.mean(axis=1), atol=1e-7)
    assert module.opened[0].options["channels"] == 4


def test_a_device_that_refuses(install):
    install(refuses=[2])
    with pytest.raises(AudioError) as error:
        recorded()
    assert str(error.value) == (
        "Mic, ALSA: cannot be opened (Error opening InputStream: Invalid number of channels); "
        "another program may be recording from it, or this one may not be allowed to"
    )


def test_a_channel_that_it_has_not(install):
    install()
    with pytest.raises(AudioError, match=r"^Mic, ALSA: has 2 channels, so channel .* got 2"):
        recorded(2)
