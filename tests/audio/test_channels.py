"""Channels of recordings: one, their mean, and what is read where they cancel."""

import json
import pickle
import warnings

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal

import skser
from skser import AudioLoader, Clips, FeatureUnionExtractor, Segment, read_audio
from skser.audio import _channels, _decoding, inspect_audio
from skser.audio._channels import mean_or_channel
from skser.audio._clip_reader import ClipReader
from skser.audio._decoding import channel_to_read
from skser.audio._streaming import stream_audio
from skser.exceptions import AudioError, AudioWarning, ParameterError
from skser.inference import TrainingAudio, predict_table
from skser.persistence._light import load_light
from skser.plotting import ClipDisplay

from ..evaluations import noises, quick_pipeline
from ..persistence.models import golden_model, quick_model
from .samples import encode, frequency_of, noise, tone

SR = 16000
CANCELS = r"its channels cancel in their mean, so channel 0 is read instead; channel=0 reads it"


def write_matroska(path, samples, sr=SR):
    """FLAC in Matroska, which PyAV reads."""
    import av

    with av.open(path, "w", format="matroska") as container:
        stream = container.add_stream("flac", rate=sr, layout="stereo")
        stream.codec_context.format = "s16"
        interleaved = (32767 * samples).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = sr, 0
        resampler = av.AudioResampler("s16", "stereo", sr, frame_size=4096)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def write(path, samples, sr=SR):
    if path.suffix == ".mkv":
        pytest.importorskip("av")
        write_matroska(str(path), samples, sr)
    else:
        soundfile.write(path, samples, sr)
    return str(path)


def quiet(function, *args, **kwargs):
    """The result of a function that must warn, once, of channels that cancel."""
    with pytest.warns(AudioWarning, match=CANCELS) as caught:
        result = function(*args, **kwargs)
    assert len({str(warning.message) for warning in caught}) == 1
    return result


# --- one channel ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "mkv"])
def test_each_channel_is_read(suffix, tmp_path):
    samples = np.stack([tone(300, SR, 2.0), tone(1200, SR, 2.0, 0.3)], axis=1)
    path = write(tmp_path / f"call.{suffix}", samples)
    for channel, frequency in enumerate([300, 1200]):
        waveform = read_audio(path, channel=channel)[0]
        assert frequency_of(waveform, SR) == pytest.approx(frequency, rel=0.01)
        part = read_audio(path, offset=0.5, duration=0.5, channel=channel)[0]
        assert_allclose(part, waveform[8000:16000], atol=1e-3)
        clips = AudioLoader(duration=None, channel=channel).transform([path, Segment(path, 0.5, 1)])
        assert_array_equal(clips[0][0], waveform)
        assert_array_equal(clips[1][0], part)
        info = inspect_audio(path)
        assert_array_equal(np.concatenate(list(stream_audio(path, info, SR, channel))), waveform)
    assert_allclose(
        read_audio(path)[0],
        (read_audio(path, channel=0)[0] + read_audio(path, channel=1)[0]) / 2,
        atol=1e-6,
    )


def test_channels_of_waveforms_are_those_of_their_file(tmp_path):
    samples = (32767 * noise(8000, 2)).astype(np.int16)
    path = write(tmp_path / "a.wav", samples, 8000)
    forms = [(samples, 8000), (8000, samples.T), {"array": samples, "sampling_rate": 8000}]
    for channel in ("mean", 0, 1):
        loader = AudioLoader(duration=None, channel=channel)
        expected = loader.transform([path])[0]
        for clip in loader.transform(forms):
            assert_array_equal(clip, expected)
        bare = AudioLoader(sr=8000, duration=None, channel=channel).transform([samples, samples.T])
        expected = read_audio(path, sr=8000, channel=channel)[0]
        assert_array_equal(bare[0][0], expected)
        assert_array_equal(bare[1][0], expected)


MISSING = r"has 1 channel, so channel must be 'mean' or 0, got 1$"


def test_a_channel_that_is_not_there(tmp_path):
    mono, stereo = write(tmp_path / "mono.wav", noise(8000)), write(tmp_path / "b.wav", noise(8, 2))
    loader = AudioLoader(channel=1)
    for function in (
        lambda: read_audio(mono, channel=1),
        lambda: loader.transform([mono]),
        lambda: loader.transform([Segment(mono, 0.1, 0.2)]),
        lambda: ClipDisplay.from_recording(mono, channel=1),
    ):
        with pytest.raises(AudioError, match=rf"mono\.wav: {MISSING}"):
            function()
    for waveform in (np.ones(800), (np.ones(800), 8000), Clips.from_waveforms([np.ones(8)], SR)):
        X = waveform if isinstance(waveform, Clips) else [waveform]
        with pytest.raises(AudioError, match=f"^waveform 0: {MISSING}"):
            loader.transform(X)
    with pytest.raises(AudioError, match=r"b\.wav: has 2 channels, .* integer in \[0, 1\], got 2$"):
        read_audio(stereo, channel=2)
    with pytest.warns(AudioWarning, match=MISSING):
        clips = AudioLoader(channel=1, on_error="silence").transform([mono, write_stereo(tmp_path)])
    assert [bool(clip.any()) for clip in clips] == [False, True]


def write_stereo(folder):
    return write(folder / "stereo.wav", noise(8000, 2))


@pytest.mark.parametrize("channel", [-1, "left", None, 0.0, True, "0"])
def test_what_is_no_channel(channel, tmp_path):
    message = "^channel must be .*'mean'.* or an integer of at least 0, got "
    with pytest.raises(ParameterError, match=message.replace("'mean'", "mean")):
        read_audio(write_stereo(tmp_path), channel=channel)
    with pytest.raises(ParameterError, match=message.replace("'mean'", "mean")):
        AudioLoader(channel=channel).fit(["a.wav"])


def test_cached_features_are_of_their_channel(tmp_path):
    path = write(tmp_path / "a.wav", noise(SR, 2) * [1.0, 0.1])
    extractor = FeatureUnionExtractor(["rms"], memory=str(tmp_path / "cache"))
    features = [
        extractor.fit_transform(AudioLoader(channel=channel).transform([path]))
        for channel in ("mean", 0, 1, 0)
    ]
    assert extractor.cache_info().n_entries == 3
    assert not np.allclose(features[0], features[1])
    assert not np.allclose(features[1], features[2])
    assert_array_equal(features[1], features[3])


# --- channels that cancel -------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "mkv"])
def test_opposite_channels(suffix, tmp_path):
    # Vorbis does not keep the phases of noise.
    wave = sum(tone(150 * k, SR, 3.0, 0.3 / k) for k in range(1, 9))[:, np.newaxis]
    path = write(tmp_path / f"opposite.{suffix}", np.hstack([wave, -wave]))
    _decoding._channel_of_file.clear()
    whole = quiet(read_audio, path)[0]
    assert_array_equal(whole, read_audio(path, channel=0)[0])
    assert whole.std() > 0.1
    part = quiet(read_audio, path, offset=1.0, duration=0.5)[0]
    assert_array_equal(part, read_audio(path, offset=1.0, duration=0.5, channel=0)[0])
    clips = AudioLoader(duration=None).transform([path, Segment(path, 1.0, 1.5)])
    assert_array_equal(quiet(clips.__getitem__, 0)[0], whole)
    assert_array_equal(clips[1][0], part)  # measured once for all parts
    content = (tmp_path / f"opposite.{suffix}").read_bytes()
    assert_array_equal(quiet(read_audio, content)[0], whole)
    info = inspect_audio(path)
    assert channel_to_read(path, info, "mean") == 0
    assert channel_to_read(path, info, 1) == 1


@pytest.mark.parametrize("form", ["(n, 2)", "(2, n)", "int16", "uint8", "bare"])
def test_opposite_channels_of_waveforms(form):
    wave = noise(SR)
    samples = np.hstack([wave, -wave])
    if form == "int16":
        samples = (32767 * samples).astype(np.int16)
    elif form == "uint8":
        samples = (128 + 127 * samples).round().astype(np.uint8)
    elif form == "(2, n)":
        samples = samples.T
    X = [samples] if form == "bare" else [(samples, SR)]
    with pytest.warns(AudioWarning, match=f"^waveform 0: {CANCELS}"):
        clip = AudioLoader(duration=None).transform(X)[0][0]
    assert_allclose(clip, wave[:, 0], atol=0.01)
    with pytest.warns(AudioWarning, match=f"^waveform 0: {CANCELS}"):
        assert_array_equal(Clips.from_waveforms([samples], SR)[0][0], clip)
    assert_array_equal(AudioLoader(duration=None, channel=0).transform(X)[0][0], clip)


def channels(*parts):
    return np.stack([np.broadcast_to(part, SR) for part in parts], axis=1).astype(np.float32)


WAVE, OTHER = noise(SR, 2).T
KEPT = {
    "the same": (WAVE, WAVE),
    "one is silent": (WAVE, 0.0),
    "unrelated": (WAVE, OTHER),
    "half opposite": (WAVE, -0.5 * WAVE),
    "one of eight": (WAVE, *[0.0] * 7),
    "silence": (0.0, 0.0),
    "below the first sound": (1e-4 * WAVE, -1e-4 * WAVE),
    "NaN": (WAVE, np.nan),
}
CANCELLED = {
    "opposite": ((WAVE, -WAVE), 0),
    "with noise 25 dB below": ((WAVE, 0.05 * OTHER - WAVE), 0),
    "not quite as loud": ((0.85 * WAVE, -WAVE), 0),
    "beside a silent channel": ((0.0, WAVE, -WAVE), 1),
    "faint": ((0.01 * WAVE, -0.01 * WAVE), 0),
}


@pytest.mark.parametrize("name", KEPT)
def test_the_mean_is_kept(name):
    assert mean_or_channel([channels(*KEPT[name])], "a.wav", SR) == "mean"


@pytest.mark.parametrize("name", CANCELLED)
@pytest.mark.parametrize("n_samples", [1, 777, SR])
def test_a_channel_is_read_instead(name, n_samples):
    parts, expected = CANCELLED[name]
    if n_samples == 1:
        parts = [np.broadcast_to(part, SR)[:200] for part in parts]
        samples = np.stack(parts, axis=1)
    else:
        samples = channels(*parts)
    blocks = np.split(samples, range(n_samples, len(samples), n_samples))
    with pytest.warns(AudioWarning, match=f"^a.wav: its channels cancel .* channel {expected} is"):
        assert mean_or_channel(blocks, "a.wav", SR) == expected


def test_the_minute_after_the_first_sound_decides(tmp_path, monkeypatch):
    """All parts of a recording are read alike, also where they alone would be read otherwise."""
    monkeypatch.setattr(_channels, "_MEASURED_SECONDS", 1)
    wave, silence = noise(2 * SR, seed=1), np.zeros((2 * SR, 2))
    alike, opposite = np.hstack([wave, wave]), np.hstack([wave, -wave])
    path = write(tmp_path / "opposite_first.wav", np.vstack([silence, opposite, alike]))
    whole = quiet(read_audio, path)[0]
    assert_array_equal(whole, read_audio(path, channel=0)[0])
    for start in (0, 1, 4, 5):
        part = read_audio_quietly(path, start)
        assert_array_equal(part, whole[start * SR : (start + 1) * SR])
    path = write(tmp_path / "alike_first.wav", np.vstack([silence, alike, opposite]))
    whole = read_audio(path)[0]
    assert_allclose(whole[4 * SR :], 0.0, atol=1e-4)
    assert_array_equal(read_audio(path, offset=4.0)[0], whole[4 * SR :])


def read_audio_quietly(path, start):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        return read_audio(path, offset=float(start), duration=1.0)[0]


def test_a_file_that_changes_is_measured_again(tmp_path):
    wave = noise(SR)
    path = write(tmp_path / "a.wav", np.hstack([wave, -wave]))
    assert read_audio_quietly(path, 0).any()
    write(tmp_path / "a.wav", np.hstack([wave, wave, wave]))
    assert_allclose(read_audio(path, offset=0.5)[0], wave[8000:, 0], atol=1e-4)


def test_python_shows_the_warning_once(tmp_path):
    wave = noise(SR)
    path = write(tmp_path / "a.wav", np.hstack([wave, -wave]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", AudioWarning)
        for _ in range(2):
            AudioLoader().transform([path])[0]
            read_audio(path)
            read_audio(path, offset=0.5)
    assert len(caught) == 1
    assert str(caught[0].message).startswith(f"{path}: its channels cancel")


def test_predictions_are_those_of_the_channel(tmp_path):
    speech = noises()
    pipeline = quick_pipeline().fit(speech.waveforms, speech.target)
    wave = speech.waveforms[0][:, np.newaxis].clip(-1, 1)
    path = write(tmp_path / "opposite.wav", np.hstack([wave, -wave]))
    table = quiet(predict_table, pipeline, [path])
    expected = pipeline.set_params(load__channel=0).predict_proba([path])
    assert_allclose(table[pipeline.classes_.tolist()].to_numpy(float), expected)


# --- saved ----------------------------------------------------------------------------------


def test_a_saved_model_reads_its_channel(tmp_path):
    pipeline = quick_model()[0]
    path = write(tmp_path / "a.wav", noise(SR, 2) * [1.0, 0.05])
    probabilities = []
    for channel in ("mean", 1):
        pipeline.set_params(load__channel=channel)
        skser.save(pipeline, tmp_path / "model.skser")
        expected = pipeline.predict_proba([path])[0]
        assert skser.load(tmp_path / "model.skser")["load"].channel == channel
        light = load_light(tmp_path / "model.skser")
        assert_allclose(light.predict_proba(path), expected, rtol=1e-4)
        probabilities.append(expected)
    pipeline.set_params(load__channel="mean")
    assert not np.allclose(*probabilities)
    with pytest.raises(AudioError, match=rf"mono\.wav: {MISSING}"):
        light.predict_proba(write(tmp_path / "mono.wav", noise(SR)))


def test_earlier_models_read_the_mean(tmp_path):
    path = golden_model("functionals")
    pipeline = skser.load(path)
    assert pipeline["load"].channel == "mean"
    recording = write(tmp_path / "a.wav", noise(2 * SR, 2))
    expected = pipeline.predict_proba([recording])[0]
    assert_allclose(load_light(path).predict_proba(recording), expected, rtol=1e-4)


def test_training_audio_hears_the_channel(tmp_path):
    loud, faint = noise(SR, seed=1), 0.01 * noise(SR, seed=2)
    paths = [write(tmp_path / f"{i}.wav", np.hstack([loud, faint])) for i in range(2)]
    training = TrainingAudio.of(AudioLoader(channel=1), paths)
    assert training.reader.channel == 1
    assert training.level[1] < -50
    assert TrainingAudio.from_dict(json.loads(json.dumps(training.to_dict()))) == training
    pair = (soundfile.read(paths[0])[0], SR)
    assert training.ood_reasons(paths[0]) == training.ood_reasons(pair) == ()
    content = training.to_dict()
    del content["reader"]["channel"]
    assert TrainingAudio.from_dict(content).reader.channel == "mean"


def test_reader_of_an_earlier_loader():
    reader = ClipReader.of(AudioLoader(channel=1))
    assert pickle.loads(pickle.dumps(reader)) == reader
    earlier = AudioLoader()
    del earlier.channel
    assert ClipReader.of(earlier) == ClipReader.of(AudioLoader())
    del earlier.pad
    with pytest.raises(AttributeError, match="pad"):
        ClipReader.of(earlier)


def test_display_of_a_channel():
    content = encode(np.hstack([noise(SR), np.zeros((SR, 1))]))
    assert ClipDisplay.from_recording(content, channel=0).waveform.any()
    assert not ClipDisplay.from_recording(content, channel=1).waveform.any()
