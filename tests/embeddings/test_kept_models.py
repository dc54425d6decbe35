"""Model files of pipelines with a pre-trained encoder: named, found again, or in the file."""

import json
import pickle
import re
import shutil
import subprocess
import sys

import joblib
import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

import skser
from skser import AudioLoader, SpeechEmbedding, cli
from skser.embeddings import _onnx_file, _whisper_encoder
from skser.embeddings._encoders import encoder_of
from skser.embeddings._hub import KNOWN
from skser.exceptions import DownloadError, MissingDependencyError, ModelError, ParameterError
from skser.persistence import load_card
from skser.persistence._any_model import load_model, save_model
from skser.persistence._light import load_light
from skser.recipes import whisper
from tests.embeddings.encoders import write_encoder
from tests.embeddings.test_onnx_file import network
from tests.evaluations import noises
from tests.persistence.models import contents_of, forge, quick_model

SPEECH = noises()
CLIPS = list(SPEECH.waveforms)
HUB_NAME = "openai/whisper-base"
DOWNLOADS = ("onnx", "safetensors", "huggingface_hub")
HEAVY = ("sklearn", "pandas", "librosa", "tensorflow", "joblib")


def make(features, scale=None):
    return Pipeline(
        [
            ("load", AudioLoader(sr=16000)),
            ("features", features),
            ("scale", scale or StandardScaler()),
            ("classify", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")),
        ]
    )


@pytest.fixture
def home(tmp_path, own_cache):
    """A folder with the encoder "voices"."""
    write_encoder(tmp_path / "voices")
    return tmp_path


@pytest.fixture
def fitted(home):
    return make(SpeechEmbedding(str(home / "voices"))).fit(CLIPS, SPEECH.target)


@pytest.fixture
def clip(home):
    soundfile.write(home / "clip.wav", CLIPS[0], 16000)
    return str(home / "clip.wav")


@pytest.fixture
def complete(fitted, home):
    """A model file with its encoder, which is nowhere else."""
    skser.save(fitted, home / "complete.skser", include_encoder=True)
    lose(home / "voices", home / "cache")
    return home / "complete.skser"


def lose(*folders):
    for folder in folders:
        shutil.rmtree(folder)
    _whisper_encoder._open.cache_clear()


def graph_entry(path):
    """Name of the entry with the encoder, and the encoder."""
    _, entries = contents_of(path)
    (name,) = [name for name in entries if name.endswith(".bin")]
    return name, entries[name]


def with_graph(path, graph):
    """Replace the encoder in a model file."""
    manifest, entries = contents_of(path)
    name, _ = graph_entry(path)
    forge(path, manifest, entries | {name: graph})


def refuses(path, clip, match):
    """Both ways of prediction raise the same error."""
    with pytest.raises(ModelError, match=match):
        skser.load(path).predict_proba([clip])
    result = CliRunner().invoke(cli.app, ["predict", str(path), clip, clip])
    assert isinstance(result.exception, ModelError)
    assert re.search(match, str(result.exception))


def test_a_file_names_its_encoder(fitted, home):
    skser.save(fitted, home / "model.skser")
    manifest, entries = contents_of(home / "model.skser")
    assert max(map(len, entries.values())) < 5000
    digest = fitted["features"].encoder_["digest"]
    assert manifest["encoders"] == [
        {
            "name": "voices",
            "revision": None,
            "layers": [1],
            "hash": digest,
            "licence": None,
            "included": False,
        }
    ]
    loaded = skser.load(home / "model.skser")
    assert_array_equal(loaded.predict_proba(CLIPS), fitted.predict_proba(CLIPS))


def test_the_cache_serves_where_the_folder_is_missing(fitted, home, clip):
    skser.save(fitted, home / "model.skser")
    expected = fitted.predict_proba([clip])
    lose(home / "voices")
    assert_array_equal(skser.load(home / "model.skser").predict_proba([clip]), expected)
    assert_allclose(load_light(home / "model.skser").predict_proba(clip), expected[0], rtol=1e-4)


def test_any_folder_with_the_encoder_serves(fitted, home):
    skser.save(fitted, home / "model.skser")
    expected = fitted.predict_proba(CLIPS)
    shutil.copytree(home / "voices", home / "elsewhere" / "copy")
    lose(home / "voices", home / "cache")
    loaded = skser.load(home / "model.skser")
    digest = fitted["features"].encoder_["digest"]
    with pytest.raises(ModelError) as info:
        loaded.predict_proba(CLIPS)
    for part in (
        str(home / "voices"),
        digest,
        str(home / "cache"),
        "any folder with this encoder",
        'set_params(features__model="/folder")',
        "include_encoder=True",
    ):
        assert part in str(info.value)
    assert "connect" not in str(info.value)
    loaded.set_params(features__model=home / "elsewhere" / "copy")
    assert_array_equal(loaded.predict_proba(CLIPS), expected)


def test_another_encoder_is_refused(fitted, home):
    skser.save(fitted, home / "model.skser")
    lose(home / "cache")
    write_encoder(home / "other", seed=1)
    loaded = skser.load(home / "model.skser").set_params(features__model=str(home / "other"))
    with pytest.raises(ModelError, match=r"other: holds another encoder than the one"):
        loaded.predict_proba(CLIPS)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [(DownloadError, DownloadError), (MissingDependencyError, ModelError)],
)
def test_no_network(reason, kind, fitted, home, monkeypatch):
    """A model of the Hub is fetched by its revision; if that fails, the error says what to do."""
    revision, asked = KNOWN[HUB_NAME].revision, []
    fitted.set_params(features__model=HUB_NAME)
    fitted["features"].encoder_ |= {"model": HUB_NAME, "revision": revision}
    skser.save(fitted, home / "model.skser")
    loaded = skser.load(home / "model.skser")
    expected = fitted.predict_proba(CLIPS)
    lose(home / "cache")

    def fail(*arguments):
        raise reason("nothing answers")

    monkeypatch.setattr(_whisper_encoder, "hub_folder", fail)
    with pytest.raises(kind) as info:
        loaded.predict_proba(CLIPS)
    for part in (HUB_NAME, revision, "nothing answers", "connect to a network once"):
        assert part in str(info.value)

    with pytest.raises(kind, match="nothing answers"):  # not an error of each recording
        skser.predict_table(loaded, CLIPS)

    def fetch(*arguments):
        asked.append(arguments)
        return home / "voices"

    monkeypatch.setattr(_whisper_encoder, "hub_folder", fetch)
    assert_array_equal(loaded.predict_proba(CLIPS), expected)
    assert asked == [(HUB_NAME, revision)]


def test_the_encoder_in_the_file(fitted, home, clip, complete):
    assert fitted["features"].encoder_["graph"] is None
    assert contents_of(complete)[0]["encoders"][0]["included"] is True
    loaded = skser.load(complete)
    answer = loaded.predict_proba([clip])
    assert_allclose(load_light(complete).predict_proba(clip), answer[0], rtol=1e-4)
    write_encoder(home / "voices")
    assert_array_equal(answer, fitted.predict_proba([clip]))


def test_a_loaded_encoder_stays(complete, home, clip):
    loaded = skser.load(complete)
    for include in (False, True):
        skser.save(loaded, home / "again.skser", include_encoder=include)
        assert (home / "again.skser").read_bytes() == complete.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("blocked", [DOWNLOADS, (*DOWNLOADS, *HEAVY)])
def test_it_predicts_without_other_packages(blocked, complete, clip):
    light = "sklearn" in blocked
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({blocked}))\n"
        "model, clip = sys.argv[1:]\n"
        + (
            "from skser import cli; cli.app(['predict', model, clip], standalone_mode=False)"
            if light
            else "import skser; print(skser.load(model).predict([clip])[0])"
        )
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(complete), clip],
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert skser.load(complete).predict([clip])[0] in done.stdout


@pytest.mark.slow
def test_light_prediction_takes_the_cached_encoder(fitted, home, clip):
    skser.save(fitted, home / "model.skser")
    fitted.predict([clip])
    lose(home / "voices")
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({(*DOWNLOADS, *HEAVY)}))\n"
        "from skser import cli; cli.app(['predict', *sys.argv[1:]], standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(home / "model.skser"), clip],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_included_encoder_is_in_memory_once(complete):
    step = skser.load(complete)["features"]
    graphs = [encoder_of(step).graph for _ in range(2)]
    assert graphs[0] is graphs[1] is step.encoder_["graph"]


def test_equal_encoders_are_one_entry(home):
    steps = [
        (pooling, SpeechEmbedding(home / "voices", pooling=pooling))
        for pooling in ("mean", "mean_std")
    ]
    union = make(FeatureUnion(steps)).fit(CLIPS, SPEECH.target)
    skser.save(union, home / "model.skser", include_encoder=True)
    expected = union.predict_proba(CLIPS)
    graph_entry(home / "model.skser")  # there is one
    assert len(contents_of(home / "model.skser")[0]["encoders"]) == 1
    lose(home / "voices", home / "cache")
    assert_array_equal(skser.load(home / "model.skser").predict_proba(CLIPS), expected)


def test_features_of_a_forged_encoder_have_entries_of_their_own(fitted, home, complete):
    """A file cannot spoil the cache of other pipelines, whatever hash it states."""
    _, graph = graph_entry(complete)

    def negate(graph):
        graph.node[-1].op_type = "Neg"

    with_graph(complete, changed(graph, negate))
    write_encoder(home / "voices")
    expected = fitted["features"].transform(CLIPS)
    forged = skser.load(complete)["features"].set_params(memory=home / "memory")
    assert_array_equal(forged.transform(CLIPS), -expected)
    honest = fitted["features"].set_params(memory=home / "memory")
    assert_array_equal(honest.transform(CLIPS), expected)


def test_a_device_is_not_kept(fitted, home):
    fitted.set_params(features__device="cuda")
    skser.save(fitted, home / "model.skser")
    assert skser.load(home / "model.skser")["features"].device == "auto"


@pytest.mark.parametrize("scale", [StandardScaler(with_mean=False), StandardScaler(with_std=False)])
def test_light_scaling(scale, home, clip):
    pipeline = make(SpeechEmbedding(home / "voices"), scale).fit(CLIPS, SPEECH.target)
    skser.save(pipeline, home / "model.skser")
    light = load_light(home / "model.skser").predict_proba(clip)
    assert_allclose(light, pipeline.predict_proba([clip])[0], rtol=1e-4)


@pytest.mark.parametrize("layers", [1, (0, 1, 2)])
def test_light_form_of_the_recipe(layers, home, clip):
    pipeline = whisper(home / "voices", layers=layers).fit(CLIPS, SPEECH.target)
    skser.save(pipeline, home / "model.skser", include_encoder=True)
    lose(home / "voices", home / "cache")
    expected = skser.load(home / "model.skser").predict_proba([clip])[0]
    assert_allclose(load_light(home / "model.skser").predict_proba(clip), expected, rtol=1e-4)


def changed(graph, change):
    """A graph after a change of its parts."""
    model = onnx.load_from_string(graph)
    change(model.graph)
    return model.SerializeToString()


def external(graph):
    tensor = graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def other_input(graph):
    graph.input[0].type.tensor_type.shape.dim[1].dim_value = 40


def second_input(graph):
    graph.input.add().CopyFrom(graph.input[0])
    graph.input[1].name = "second"


def other_output(graph):
    graph.output[0].name = graph.node[-1].output[0] = "words"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (external, "takes weights from another file"),
        (other_input, r"must be an encoder with the inputs \{'mel': 80\}, got \{'mel': 40\}"),
        (second_input, r"inputs \{'mel': 80\}, got \{'mel': 80, 'second': 80\}"),
        (other_output, r"outputs \{'layer_1': 16\}, got \{'words': 16\}"),
    ],
)
def test_other_graphs_are_refused(change, match, complete, clip):
    _, graph = graph_entry(complete)
    with_graph(complete, changed(graph, change))
    refuses(complete, clip, match)


@pytest.mark.parametrize("damage", [lambda g: g[: len(g) // 2], lambda g: b"", lambda g: g[::-1]])
def test_damaged_graphs_are_refused(damage, complete, clip):
    _, graph = graph_entry(complete)
    with_graph(complete, damage(graph))
    refuses(complete, clip, "its graph in the model file cannot be read")


def test_graphs_of_another_format_are_refused(complete, home, clip):
    _, graph = graph_entry(complete)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(home / "graph.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    converted = (home / "graph.ort").read_bytes()
    onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    with_graph(complete, converted)
    refuses(complete, clip, "its graph in the model file cannot be read")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("digest", "../../../secret"),
        ("digest", 3),
        ("layers", ()),
        ("layers", (1, 1)),
        ("layers", (-1,)),
        ("layers", 1),
        ("n_mels", 10**9),
        ("layer_width", 0),
        ("layer_width", "16"),
        ("graph", np.zeros(3)),
        ("revision", 7),
        ("extra", 1),
    ],
)
def test_damaged_descriptions_are_refused(name, value, fitted, home, clip):
    fitted["features"].encoder_[name] = value
    with pytest.raises(ModelError, match="description of the pre-trained encoder is damaged"):
        fitted.predict_proba([clip])


def test_a_description_of_another_kind_is_refused(fitted, clip):
    fitted["features"].encoder_ = [1]
    with pytest.raises(ModelError, match="description of the pre-trained encoder is damaged"):
        fitted.predict_proba([clip])


def test_pickles_and_clones(fitted, home):
    step, expected = fitted["features"], fitted.predict_proba(CLIPS)
    content = pickle.dumps(step)
    assert len(content) < 2000
    assert_array_equal(pickle.loads(content).transform(CLIPS), step.transform(CLIPS))
    copy = clone(step)
    assert not hasattr(copy, "encoder_")
    assert copy.get_params() == step.get_params()
    joblib.dump(fitted, home / "model.joblib")
    assert_array_equal(load_model(home / "model.joblib").predict_proba(CLIPS), expected)


def test_joblib_files_keep_no_encoder(fitted, home):
    with pytest.raises(ParameterError, match=r"include_encoder must be False .*model\.joblib"):
        save_model(fitted, home / "model.joblib", include_encoder=True)
    assert not (home / "model.joblib").exists()


def test_other_pipelines_are_complete(home):
    pipeline, _ = quick_model()
    skser.save(pipeline, home / "a.skser")
    skser.save(pipeline, home / "b.skser", include_encoder=True)
    assert (home / "a.skser").read_bytes() == (home / "b.skser").read_bytes()
    assert "encoder" not in load_card(home / "a.skser")
    result = CliRunner().invoke(cli.app, ["info", str(home / "a.skser"), "--json", "-"])
    assert "encoders" not in json.loads(result.stdout)


def test_info_and_card(complete, home):
    result = CliRunner().invoke(cli.app, ["info", str(complete)])
    line = result.stdout.splitlines()[1]
    digest = contents_of(complete)[0]["encoders"][0]["hash"]
    for text in (line, load_card(complete).partition("## Pipeline")[0]):
        assert f"voices, layer 1, hash {digest}. Licence: unknown." in text
        assert "training data is not known to us, so test recordings may be in it" in text
        assert "The model file contains it." in text
        assert str(home) not in text
    result = CliRunner().invoke(cli.app, ["info", str(complete), "--json", "-"])
    assert json.loads(result.stdout)["encoders"][0]["hash"] == digest


@pytest.mark.parametrize(
    "change",
    [{"name": "\x1b[2J"}, {"hash": 3}, {"included": "yes"}, {"layers": [None]}, {"more": 1}],
)
def test_unreadable_encoders(change, complete):
    manifest, entries = contents_of(complete)
    manifest["encoders"][0] |= change
    forge(complete, manifest, entries)
    result = CliRunner().invoke(cli.app, ["info", str(complete)])
    assert isinstance(result.exception, ModelError)
    assert "complete.skser: has an unreadable encoder" in str(result.exception)


@pytest.fixture
def waveform_file(home):
    """An encoder of waveforms in an ONNX file."""
    return network(home / "pairs.onnx", only="frames")


def test_an_onnx_file_is_named(waveform_file, home, clip):
    pipeline = make(SpeechEmbedding(str(waveform_file))).fit(CLIPS, SPEECH.target)
    expected = pipeline.predict_proba([clip])
    with pytest.raises(ModelError, match="include_encoder must be False"):
        skser.save(pipeline, home / "model.skser", include_encoder=True)
    skser.save(pipeline, home / "model.skser")
    described = contents_of(home / "model.skser")[0]["encoders"][0]
    assert described["name"] == "pairs.onnx"
    assert described["layers"] == ["frames"]
    loaded = skser.load(home / "model.skser")
    assert_array_equal(loaded.predict_proba([clip]), expected)
    assert_allclose(load_light(home / "model.skser").predict_proba(clip), expected[0], rtol=1e-4)
    waveform_file.rename(home / "moved.onnx")
    _onnx_file._open.cache_clear()
    refuses(home / "model.skser", clip, r"is not where it was .*features__model=")
    loaded.set_params(features__model=home / "moved.onnx")
    assert_array_equal(loaded.predict_proba([clip]), expected)


@pytest.mark.parametrize(("name", "value"), [("width", "2"), ("digest", None)])
def test_damaged_descriptions_of_onnx_files_are_refused(name, value, waveform_file, clip):
    pipeline = make(SpeechEmbedding(str(waveform_file))).fit(CLIPS, SPEECH.target)
    pipeline["features"].encoder_[name] = value
    with pytest.raises(ModelError, match="description of the pre-trained encoder is damaged"):
        pipeline.predict_proba([clip])
