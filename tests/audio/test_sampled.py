"""Waveforms with a rate, in the forms in which other libraries return them."""

import io
import pickle
import re
import tempfile
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile

from skser import AudioLoader, Augmenter, Clips, FeatureUnionExtractor, read_audio
from skser.exceptions import AudioError, DataError, SkserWarning

from .samples import encode, noise, tone

SR = 44100
MONO = noise(SR, seed=3)[:, 0].astype(np.float32)
STEREO = noise(SR, 2, seed=4).astype(np.float32)
WHOLE = AudioLoader(duration=None, pad=None)


@pytest.fixture(scope="module")
def mono(tmp_path_factory):
    """A file of float samples, so that nothing is lost."""
    path = str(tmp_path_factory.mktemp("files") / "mono.wav")
    soundfile.write(path, MONO, SR, subtype="FLOAT")
    return path


class Tensor:
    """What skser uses of a torch.Tensor."""

    def __init__(self, values, dtype="float32"):
        self.values, self.dtype = values, dtype

    ndim = property(lambda self: self.values.ndim)
    shape = property(lambda self: self.values.shape)

    def __iter__(self):
        return (Tensor(row, self.dtype) for row in self.values)

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")

    def detach(self):
        return self

    def cpu(self):
        return self

    def float(self):
        return Tensor(self.values)

    def numpy(self):
        if self.dtype == "bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values


class Decoder:
    """What skser uses of the AudioDecoder of torchcodec, which has no __array__."""

    def __init__(self, data, sample_rate):
        self.samples = SimpleNamespace(data=Tensor(data), sample_rate=sample_rate)

    def get_all_samples(self):
        return self.samples


FORMS = {
    "as librosa": (MONO, SR),
    "as gradio": (SR, MONO),
    "list": [MONO, SR],
    "rate of numpy": (np.int64(SR), MONO),
    "rate as float": (MONO, 44100.0),
    "plain lists": (MONO.tolist(), SR),
    "column": (MONO[:, np.newaxis], SR),
    "row": (MONO[np.newaxis], SR),
    "torchaudio": (Tensor(MONO[np.newaxis]), SR),
    "bfloat16": (Tensor(MONO[np.newaxis], "bfloat16"), SR),
    "row of datasets": {"path": "gone.wav", "array": MONO, "sampling_rate": SR},
    "row with a label": {"audio": {"array": MONO.tolist(), "sampling_rate": SR}, "label": 1},
    "row with a path beside": {"path": "gone.wav", "audio": Decoder(MONO[np.newaxis], SR)},
    "input of transformers": {"raw": MONO, "sampling_rate": SR},
    "decoder": Decoder(MONO[np.newaxis], SR),
    "samples of a decoder": Decoder(MONO[np.newaxis], SR).samples,
    "bytes in a row": {"path": None, "bytes": encode(MONO, SR, "WAV/FLOAT")},
    "bytes and a name in a row": {"path": "gone.wav", "bytes": encode(MONO, SR, "WAV/FLOAT")},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "params",
    [
        {"duration": None, "pad": None},
        {"sr": SR},
        {"duration": 0.5, "offset": 0.25},
        {"duration": 0.5, "trim_db": 20.0, "normalize": "rms", "sr": 8000},
    ],
)
def test_a_waveform_with_its_rate_is_read_as_its_file(mono, form, params):
    loader = AudioLoader(**params)
    clips = loader.transform([form])
    np.testing.assert_array_equal(clips[0], loader.transform([mono])[0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clips))[0], clips[0])


@pytest.mark.parametrize("form", [{"path": "PATH", "bytes": None}, {"path": "PATH"}])
def test_a_row_with_a_path(mono, form):
    clips = WHOLE.transform([{**form, "path": mono}])
    np.testing.assert_array_equal(clips[0], WHOLE.transform([mono])[0])


@pytest.mark.parametrize("stereo", [STEREO, STEREO.T, Tensor(STEREO.T), STEREO.tolist()])
def test_channels_are_averaged_in_either_orientation(stereo):
    expected = WHOLE.transform([encode(STEREO, SR, "WAV/FLOAT")])[0]
    np.testing.assert_allclose(WHOLE.transform([(stereo, SR)])[0], expected, atol=1e-6)
    bare = AudioLoader(sr=SR, duration=None, pad=None).transform([stereo])[0]
    np.testing.assert_allclose(bare[0], STEREO.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8])
def test_integers_of_channels_are_scaled(dtype):
    middle = 128 if dtype is np.uint8 else 0
    scale = 128 if dtype is np.uint8 else -float(np.iinfo(dtype).min)
    samples = (STEREO * (scale - 1) + middle).astype(dtype)
    expected = ((samples.astype(float) - middle) / scale).mean(axis=1)
    read = AudioLoader(sr=SR, duration=None, pad=None).transform([(samples, SR)])[0][0]
    np.testing.assert_allclose(read, expected, atol=1e-6)


def test_two_waveforms_are_no_pair():
    for X in ([MONO, MONO[:100]], (MONO, MONO[:100]), [[0.5, 0.25], [0.25, 0.5]]):
        assert len(WHOLE.transform(X)) == 2
    np.testing.assert_array_equal(WHOLE.transform([[0.5, 0.25]])[0], [[0.5, 0.25]])


TABLES = {
    "list": lambda rows: rows,
    "generator": iter,
    "object array": lambda rows: np.array([*rows, None], dtype=object)[:-1],
    "Series": pd.Series,
    "DataFrame of parquet": lambda rows: pd.DataFrame({"audio": rows}),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_rows_in_tables(mono, table):
    rows = [{"path": None, "bytes": encode(MONO, SR, "WAV/FLOAT")}, {"path": mono, "bytes": None}]
    clips = WHOLE.transform(table(rows))
    expected = WHOLE.transform([mono])[0]
    assert len(clips) == 2
    for views in clips:
        np.testing.assert_array_equal(views, expected)


def test_clips_made_elsewhere(mono):
    expected = WHOLE.transform([mono])[0]
    own_rate = Clips.from_waveforms([MONO, MONO[:20000]], sr=SR)
    read = AudioLoader(sr=SR, duration=None, pad=None).transform([mono])
    for clips in (own_rate, read, read.map(lambda views, sr: views)):
        np.testing.assert_array_equal(WHOLE.transform(clips)[0], expected)
    assert [len(views[0]) for views in WHOLE.transform(own_rate)] == [16000, 7257]


def test_clips_of_several_views():
    class Twice:
        n_views = 2

        def __call__(self, views, sr):
            return np.concatenate([views, views])

    clips = Clips.from_waveforms([MONO], SR).map(Twice())
    with pytest.raises(DataError, match=r"clips must have one view each, got <1 clips.*2 views"):
        WHOLE.transform(clips)


ONE = "X must be a sequence of recordings, got one.*list"
BAD = [
    ((SR, MONO), ONE),
    ([MONO, SR], ONE),
    (np.zeros((48000, 2)), r"X must be .*single waveform of shape \(48000, 2\).*list"),
    (np.zeros((48000, 1)), r"X must be .*single waveform of shape \(48000, 1\).*list"),
    (Tensor(MONO), "X must be a sequence of recordings, got a single waveform"),
    (Decoder(MONO[np.newaxis], SR), "X must be a sequence of recordings, got <"),
    ([(MONO, 16)], r"waveform 0: .*rate .*\[4000, 192000\] Hz, got 16$"),
    ([(MONO, 22050.5)], r"waveform 0: .*rate .*\[4000, 192000\] Hz, got 22050\.5$"),
    ([(MONO, "16000")], r"waveform 0: .*rate .* got '16000'$"),
    ([(MONO, None)], r"waveform 0: .*rate .* got None$"),
    ([(float("nan"), MONO)], r"waveform 0: .*rate .* got nan$"),
    ([{"array": MONO}], "recording 0 .*array.* sampling_rate, got array"),
    ([{"path": None, "bytes": None}], "recording 0 .*dict .* got path, bytes"),
    ([{"label": 3}], "recording 0 .*dict .*path and bytes, got label"),
    ([{}], "recording 0 .*dict .* got no keys"),
    ([[MONO, MONO, MONO]], "recording 0 .*single recording, got a list of arrays"),
    ([[[0.0, 1.0], [0.0]]], "waveform 0 .*lists of other lengths"),
    ([(np.zeros((9, 9)), SR)], r"waveform 0 .*8 channels.* got shape \(9, 9\)"),
    ([(np.zeros(0), SR)], r"waveform 0 .*at least one sample.* got shape \(0,\)"),
    ([(np.full(9, np.nan), SR)], "waveform 0 .*NaN"),
    ([(np.zeros(9, complex), SR)], "waveform 0 .*dtype complex128"),
]


@pytest.mark.parametrize(("X", "message"), BAD)
def test_what_is_refused(X, message):
    with pytest.raises(DataError, match=f"^{message}") as caught:
        WHOLE.transform(X)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_limits_count_at_the_own_rate():
    limited = AudioLoader(max_duration=0.9)
    with pytest.raises(AudioError, match=r"^waveform 0: is 1\.0 s long.* max_duration=0\.9 s"):
        limited.transform([(MONO, SR)])
    limited.transform([(MONO[: SR // 2], SR)])
    with pytest.warns(SkserWarning, match="^silence .*waveform 0"):
        limited.set_params(on_error="silence").transform([(MONO, SR)])


def test_features_are_cached_by_samples_and_rate(tmp_path):
    def features(recording):
        extractor = FeatureUnionExtractor(["rms", "zcr"], memory=tmp_path)
        values = extractor.fit_transform(AudioLoader().transform([recording]))
        return values, extractor.cache_info().hits

    first, hits = features((MONO, SR))
    assert hits == 0
    again, hits = features((SR, MONO.copy()))
    assert hits == 1
    np.testing.assert_array_equal(again, first)
    other, hits = features((MONO, 48000))
    assert hits == 0
    assert not np.array_equal(other, first)
    clips = AudioLoader().transform([(MONO, SR)])
    assert joblib.hash(clips.sources) == joblib.hash(AudioLoader().transform([(MONO, SR)]).sources)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("step", [FeatureUnionExtractor(["rms"]), Augmenter()])
def test_steps_without_a_loader_say_so(form, step):
    for X in ([form], [form, form]):
        with pytest.raises(DataError, match="sampling rate must go through an AudioLoader first"):
            step.fit_transform(X)


def test_a_collection_is_not_decoded_by_fit(mono):
    class Column:
        """Like that of `datasets`, which decodes a row when it is read."""

        n_read = 0

        def __len__(self):
            return 50

        def __contains__(self, item):
            return False

        def __iter__(self):
            for _ in range(len(self)):
                self.n_read += 1
                yield {"path": mono, "bytes": None}

    column = Column()
    loader = AudioLoader().fit(column)
    assert column.n_read == 1
    assert loader.knows_rates_
    assert len(loader.transform(column)) == 50


# --- waveforms without a rate -------------------------------------------------------------


def test_waveforms_without_a_rate_are_said_after_a_fit_on_files(mono):
    loader = AudioLoader(sr=8000)
    for X in ([mono], np.array([mono]), [(MONO, SR)], Clips.from_waveforms([MONO], SR)):
        loader.fit(X)
        for bare in ([MONO], MONO[np.newaxis], [mono, MONO], [MONO.tolist()]):
            with pytest.warns(SkserWarning, match=r"sr=8000 Hz.*give \(waveform, sr\)") as caught:
                loader.transform(bare)
            assert len(caught) == 1
        for known in ([mono], [(MONO, SR)], Clips.from_waveforms([MONO], SR)):
            loader.transform(known)


UNKNOWN = [
    [MONO],
    [MONO.tolist()],
    np.stack([MONO, MONO]),
    pd.DataFrame(np.stack([MONO, MONO])),
    Tensor(np.stack([MONO, MONO])),
    iter([MONO]),
    [(MONO, SR), MONO],
]


@pytest.mark.parametrize("X", UNKNOWN, ids=lambda X: type(X).__name__)
def test_no_warning_if_fit_saw_waveforms_without_rates(X):
    loader = AudioLoader().fit(X)
    assert not loader.knows_rates_
    loader.transform([MONO])


def test_no_warning_before_fit():
    AudioLoader().transform([MONO])


@pytest.mark.parametrize(
    ("dtype", "scale", "bits"), [(np.int16, 32767, 16), (np.int32, 2**31 - 1, 32)]
)
def test_integers_that_were_cast_and_not_scaled(dtype, scale, bits):
    integers = (MONO * scale).astype(dtype)
    WHOLE.transform([integers])
    message = f"full scale of 1.0, .*integers of {bits} bits.*divide by {round(scale + 1)}"
    for X in ([integers.astype(float)], [MONO, (integers.astype(np.float32), SR)]):
        with pytest.warns(SkserWarning, match=f"^X must .*{message}") as caught:
            WHOLE.transform(X)
        assert len(caught) == 1
    with pytest.warns(SkserWarning, match=f"^waveforms must .*{message}"):
        Clips.from_waveforms([integers.astype(float)], sr=SR)


def test_loud_floats_are_no_integers():
    WHOLE.transform([20 * MONO, np.array([1.0, -1.0, 0.0]), np.zeros(9)])
    with pytest.warns(SkserWarning, match="8 bits"):  # faint, but whole numbers
        WHOLE.transform([np.rint(tone(440, SR, 1.0, amplitude=20.0))])


# --- open files ------------------------------------------------------------------------------


def written(file):
    soundfile.write(file, MONO, SR, format="WAV", subtype="FLOAT")
    return file


def test_a_file_at_its_end_is_read_from_its_start(mono):
    expected = WHOLE.transform([mono])[0]
    with tempfile.SpooledTemporaryFile() as spooled, tempfile.TemporaryFile() as temporary:
        for file in (io.BytesIO(), spooled, temporary):
            position = written(file).tell()
            file.seek(0, io.SEEK_END)
            np.testing.assert_array_equal(WHOLE.transform([file])[0], expected)
            assert file.tell() == file.seek(0, io.SEEK_END) >= position


def test_files_that_cannot_be_read():
    class Upload:
        async def read(self):
            return b""

    closed = io.BytesIO(b"RIFF")
    closed.close()
    for file, message in [
        (closed, "closed file"),
        (Upload(), r"coroutine.*\.file"),
        (io.StringIO("RIFF"), "text mode"),
    ]:
        with pytest.raises(DataError, match=f"^recording 0 .*{message}"):
            WHOLE.transform([file])
    with pytest.raises(AudioError, match="is empty"):
        WHOLE.transform([io.BytesIO()])


# --- strings that are no paths ----------------------------------------------------------------

BASE64 = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA" * 3000
NO_PATHS = [
    ("https://example.org/a.wav", "is an address; download"),
    ("s3://bucket/a.wav", "is an address; download"),
    ("file:///home/my%20calls/a.wav", "is an address; give the path, /home/my calls/a.wav"),
    ("https:/example.org/a.wav", "is an address; download"),  # as a Path has it
    ("file:/home/a.wav", "is an address; give the path, /home/a.wav"),
    ("https://example.org/?q=" + "x" * 9000, "is an address; download"),
    (BASE64, r"is text in base64.*b64decode"),
    (BASE64[:120], r"is text in base64.*b64decode"),
    ("data:audio/wav;base64," + BASE64, r"is text in base64.*b64decode"),
    ("//uQ" + "xAb/" * 50, r"is text in base64.*b64decode"),  # of MP3
    ("a.wav", "does not exist"),
    ("/no-such-folder/" + "folder/" * 20 + "call", "does not exist"),
    ("no_such_folder/" + "x" * 150 + ".wav", "does not exist"),
    ("x" * 300 + ".wav", r"cannot be opened \(File name too long\)"),
]


@pytest.mark.parametrize(("text", "reason"), NO_PATHS)
def test_strings_that_are_no_paths(text, reason):
    for read in (read_audio, lambda text: WHOLE.transform([text])):
        with pytest.raises(AudioError, match=f": {reason}") as caught:
            read(text)
        assert len(str(caught.value)) < 400
        assert re.match(re.escape(text[:90]), str(caught.value))
        assert "\n" not in str(caught.value)
