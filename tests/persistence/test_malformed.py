"""Model files that were damaged or made to do harm: all are refused, and nothing in them runs."""

import io
import json
import pickle
import re
import struct
import sys
import zipfile
from contextlib import suppress

import joblib
import numpy as np
import onnx
import pytest
import skops.io
import soundfile
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from typer.testing import CliRunner

import skser
from skser import cli
from skser.exceptions import ModelError
from skser.persistence import load_card, load_info
from skser.persistence._light import load_light
from tests.persistence.models import (
    Harm,
    array_bytes,
    contents_of,
    forge,
    pickled_harm,
    quick_model,
    sign,
)

SEED = 20240607
LARGEST = 2**20  # of all texts together
WATCHED = {"pickle.find_class", "os.system", "subprocess.Popen", "socket.connect", "os.exec"}
seen = []


def watch(event, arguments):
    if event in WATCHED:
        seen.append((event, arguments))


sys.addaudithook(watch)  # for good; it only keeps a list


@pytest.fixture(autouse=True)
def small_bombs(monkeypatch):
    monkeypatch.setattr("skser.persistence._container._LARGEST_TEXT", LARGEST)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "model.skser"
    pipeline, _ = quick_model()
    skser.save(pipeline, path)
    return path


def flipped(rng, good, path):
    content = bytearray(good.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)


def truncated(rng, good, path):
    content = good.read_bytes()
    path.write_bytes(content[: rng.integers(len(content))])


def continued(rng, good, path):
    path.write_bytes(good.read_bytes() + rng.bytes(rng.integers(1, 100)))


def random_bytes(rng, good, path):
    path.write_bytes(b"PK\x03\x04" + rng.bytes(2000))


def foreign_pickle(rng, good, path):
    path.write_bytes(pickled_harm(path.with_name("harm")))


def foreign_joblib(rng, good, path):
    joblib.dump(Harm(path.with_name("harm")), path)


def pickle_behind_a_zip(rng, good, path):
    sign(path, b"PK\x03\x04" + pickled_harm(path.with_name("harm")))


def array_of_objects(rng, good, path):
    manifest, entries = contents_of(good)
    name = rng.choice([name for name in entries if name.endswith(".npy")])
    harm = np.array([Harm(path.with_name("harm"))], dtype=object)
    forge(path, manifest, entries | {name: array_bytes(harm, allow_pickle=True)})


def array_that_claims_much(rng, good, path):
    manifest, entries = contents_of(good)
    name = rng.choice([name for name in entries if name.endswith(".npy")])
    header = (
        f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10 ** int(rng.integers(9, 15))},)}}"
    )
    header = header.ljust(117) + "\n"
    claim = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    forge(path, manifest, entries | {name: claim})


def bomb(rng, good, path):
    manifest, entries = contents_of(good)
    name = rng.choice(list(entries))
    forge(path, manifest, entries | {name: bytes(LARGEST + 1)})


def many_bombs(rng, good, path):
    manifest, entries = contents_of(good)
    forge(
        path, manifest, entries | {f"arrays/{100 + i}.npy": bytes(LARGEST // 64) for i in range(65)}
    )


def bomb_that_claims_little(rng, good, path):
    manifest, entries = contents_of(good)
    forge(path, manifest, entries | {"README.md": bytes(LARGEST + 1)})
    content = bytearray(path.read_bytes()[:-77])
    for place in [
        m.start() for m in re.finditer(re.escape(struct.pack("<I", LARGEST + 1)), content)
    ]:
        content[place : place + 4] = struct.pack("<I", int(rng.integers(1, 1000)))
    sign(path, bytes(content))


def left_folder(rng, good, path):
    manifest, entries = contents_of(good)
    name = next(name for name in entries if name.endswith(".npy"))
    other = str(rng.choice(["../../harm", "/etc/passwd", "arrays/../../harm", "C:\\harm"]))
    text = json.dumps(manifest).replace(name, other)
    forge(path, text, entries)


def twice(rng, good, path):
    manifest, entries = contents_of(good)
    name = str(rng.choice(list(entries)))
    with pytest.warns(UserWarning, match="Duplicate name"):
        forge(path, manifest, [*entries.items(), (name, b"another")])


def without_an_entry(rng, good, path):
    manifest, entries = contents_of(good)
    del entries[str(rng.choice([name for name in entries if name.endswith(".npy")]))]
    forge(path, manifest, entries)


def naming(name):
    def make(rng, good, path):
        manifest, entries = contents_of(good)
        text = json.dumps(manifest).replace("skser.audio.AudioLoader", name)
        forge(path, text, entries)

    make.__name__ = f"names {name}"
    return make


def with_node(node, name):
    def make(rng, good, path):
        manifest, entries = contents_of(good)
        manifest["pipeline"] = node
        forge(path, manifest, entries)

    make.__name__ = name
    return make


def network_of(layer):
    def make(rng, good, path):
        manifest, entries = contents_of(good)
        manifest["pipeline"] = {"network": ["networks/0", []], "number": 0}
        config = {"class_name": "Functional", "module": "keras.src.models.functional"}
        config["config"] = {"layers": [layer]}
        forge(path, manifest, entries | {"networks/0.json": json.dumps(config).encode()})

    make.__name__ = f"layer {layer['class_name']}"
    return make


def weights_from_elsewhere(rng, good, path):
    manifest, entries = contents_of(good)
    manifest["pipeline"] = {"network": ["networks/0", []], "number": 0}
    weight = onnx.TensorProto(
        name="weight_0",
        data_type=onnx.TensorProto.FLOAT,
        dims=[2],
        data_location=onnx.TensorProto.EXTERNAL,
    )
    weight.external_data.add(key="location", value="/etc/passwd")
    graph = onnx.helper.make_graph([], "graph", [], [], [weight])
    content = onnx.helper.make_model(graph).SerializeToString()
    network = {"networks/0.json": b"{}", "networks/0.onnx": content}
    forge(path, manifest, entries | network)


def foreign_skops(rng, good, path):
    manifest, entries = contents_of(good)
    file = io.BytesIO()
    schema = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "protocol": 2,
        "_skops_version": "0.16",
    }
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    manifest["pipeline"] = {"skops": "skops/0.skops", "number": 0}
    forge(path, manifest, entries | {"skops/0.skops": file.getvalue()})


def skops_of(estimator, *, harm=None, compress=zipfile.ZIP_STORED):
    def make(rng, good, path):
        manifest, entries = contents_of(good)
        if harm is not None:
            harm(estimator)
        content = skops.io.dumps(estimator, compression=compress)
        manifest["pipeline"] = {"skops": "skops/0.skops", "number": 0}
        forge(path, manifest, entries | {"skops/0.skops": content})

    return make


X, Y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2


def leave_the_tree(classifier):
    classifier.tree_.children_left[0] = 2**30


def leave_the_points(classifier):
    arrays = list(classifier._tree.__getstate__())
    arrays[1] = np.asarray(arrays[1]) + 10**6
    classifier._tree.__setstate__(tuple(arrays))


def grows_without_end(rng, good, path):
    manifest, entries = contents_of(good)
    nodes = [{"tuple": [1, 1], "number": 0}]
    nodes += [{"tuple": [{"same": k}, {"same": k}], "number": k + 1} for k in range(60)]
    manifest["pipeline"] = {"tuple": [*nodes, {"frozenset": [{"same": 60}]}]}
    forge(path, manifest, entries)


def state_of_no_place(rng, good, path):
    manifest, entries = contents_of(good)
    key = np.random.RandomState(0).get_state()[1]
    state = ["MT19937", {"array": "arrays/9.npy", "number": 1}, 10**8, 0, 0.0]
    manifest["pipeline"] = {"random_state": {"tuple": state}, "number": 0}
    forge(path, manifest, entries | {"arrays/9.npy": array_bytes(key)})


def newer(rng, good, path):
    manifest, entries = contents_of(good)
    manifest["format"] += 1
    forge(path, manifest, entries)


def other_manifest(text):
    def make(rng, good, path):
        forge(path, text, contents_of(good)[1])

    make.__name__ = f"manifest {text[:20]}"
    return make


MALFORMED = [
    *[flipped] * 14,
    *[truncated] * 8,
    *[continued] * 2,
    *[random_bytes] * 2,
    foreign_pickle,
    foreign_joblib,
    pickle_behind_a_zip,
    *[array_of_objects] * 2,
    *[array_that_claims_much] * 2,
    bomb,
    many_bombs,
    bomb_that_claims_little,
    *[left_folder] * 3,
    *[twice] * 2,
    *[without_an_entry] * 2,
    *map(
        naming,
        [
            "os.system",
            "builtins.eval",
            "subprocess.Popen",
            "sklearn.conftest.pytest",
            "sklearn.preprocessing.os",
            "skser.audio.np",
            "skser.audio._loader.np",
            "skser.plotting._recordings.ClipDisplay",
            "sklearn.clone.clone",
            "skser.features",
            "sklearn.externals.joblib",
        ],
    ),
    with_node([[]] * 3, "lists"),
    with_node({"same": 7}, "refers to nothing"),
    with_node({"float": "__import__('os')"}, "float"),
    with_node({"estimator": ["skser.audio.AudioLoader"], "number": 0}, "half an estimator"),
    with_node({"tuple": [], "list": []}, "two kinds"),
    with_node({"function": "os.system", "number": 0}, "a function"),
    network_of({"class_name": "Lambda", "module": "keras.layers", "config": {}}),
    network_of({"class_name": "TFSMLayer", "module": "keras.layers", "config": {}}),
    network_of({"class_name": "system", "module": "os", "config": {}}),
    network_of({"class_name": "function", "module": "builtins", "config": "eval"}),
    network_of({"class_name": "Dense", "module": "keras.layers", "registered_name": "harm>Dense"}),
    network_of({"class_name": "FrameMask", "module": "os", "registered_name": "harm>FrameMask"}),
    network_of({"class_name": "system", "module": "os", "registered_name": "skser>FrameMask"}),
    weights_from_elsewhere,
    foreign_skops,
    skops_of(np.zeros(10**6), compress=zipfile.ZIP_DEFLATED),
    skops_of(np.zeros(10)),
    skops_of(DecisionTreeClassifier().fit(X, Y), harm=leave_the_tree),
    skops_of(KNeighborsClassifier(algorithm="kd_tree").fit(X, Y), harm=leave_the_points),
    grows_without_end,
    state_of_no_place,
    with_node({"estimator": ["sklearn.pipeline.Pipeline", {"steps": 5}], "number": 0}, "steps"),
    with_node(
        {
            "estimator": [
                "sklearn.pipeline.Pipeline",
                {"steps": [{"tuple": ["a", {"same": 0}]}]},
            ],
            "number": 0,
        },
        "itself",
    ),
    newer,
    other_manifest("[]"),
    other_manifest("{}"),
    other_manifest("[" * 100_000),
    other_manifest("{not json"),
    other_manifest('{"format": 1, "versions": {}, "pipeline": ' + "[" * 900 + "]" * 900 + "}"),
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_is_refused_and_nothing_runs(number, good, tmp_path):
    rng = np.random.default_rng([SEED, number])
    path = tmp_path / "model.skser"
    MALFORMED[number](rng, good, path)
    before = set(sys.modules)
    seen.clear()
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: ") as caught:
        skser.load(path)
    assert "\n" not in str(caught.value)
    with suppress(ModelError):
        assert load_light(path) is None
    for tell in (load_info, load_card):
        with suppress(ModelError):
            tell(path)
    for arguments in (["info", path], ["predict", path, "nowhere.wav"]):
        result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
        assert result.exit_code == 0 or isinstance(result.exception, (SystemExit, ModelError))
    assert seen == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.skser"]
    assert not {"subprocess32", "sklearn.conftest", "skser.plotting._recordings"} & (
        set(sys.modules) - before
    )


@pytest.mark.parametrize(
    "change",
    [
        {"classes": 5},
        {"classes": [1, 2]},
        {"classes": ["a\nb"]},
        {"versions": {"skser": "1\n2\x1b[31m"}},
        {"info": [1]},
        {"info": {"emotions": [1]}},
        {"info": {"emotions": {"a": "b"}}},
        {"info": {"emotions": {"\ud800": 1}}},
        {"info": {"emotions": {}, "licences": ["\x1b]0;harm\x07"]}},
        {"info": {"emotions": {}, "score": {"uar": 0.5}}},
        {"info": {"emotions": {}, "score": {"protocol": "", "uar": "x", "low": 1, "high": 1}}},
        {"info": {"emotions": {}, "audio": [1]}},
    ],
)
def test_what_is_result_of_a_model_is_checked(change, good, tmp_path):
    manifest, entries = contents_of(good)
    path = tmp_path / "model.skser"
    forge(path, manifest | change, entries)
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: "):
        load_info(path)
    result = CliRunner().invoke(cli.app, ["info", str(path)])
    assert isinstance(result.exception, ModelError)


def test_a_model_that_does_not_fit_together_is_named(good, tmp_path):
    manifest, entries = contents_of(good)
    path, clip = tmp_path / "model.skser", tmp_path / "clip.wav"
    soundfile.write(clip, np.random.default_rng(0).normal(0, 0.1, 8000), 16000)
    arrays = [name for name in entries if name.endswith(".npy")]
    forge(path, manifest, entries | {name: array_bytes(np.zeros(3)) for name in arrays})
    result = CliRunner().invoke(cli.app, ["predict", str(path), str(clip)])
    assert isinstance(result.exception, ModelError)
    assert str(result.exception).startswith(f"{path}: ")


def test_skops_brings_no_places_along(good, tmp_path):
    estimator = KNeighborsClassifier(algorithm="kd_tree", n_jobs=3)
    pipeline = make_pipeline(StandardScaler(), estimator, memory=str(tmp_path / "cache"))
    path = tmp_path / "model.skser"
    skops_of(pipeline.fit(X, Y))(None, good, path)
    loaded = skser.load(path)
    assert (loaded.memory, loaded.steps[1][1].n_jobs) == (None, None)
    np.testing.assert_array_equal(loaded.predict_proba(X), pipeline.predict_proba(X))


def test_there_are_fifty():
    assert len(MALFORMED) >= 50


def test_what_they_were_made_of_is_loaded(good):
    assert list(skser.load(good).classes_) == list(load_light(good).classes_)


def test_the_watch_sees_what_a_pickle_does(tmp_path):
    seen.clear()
    pickle.loads(pickled_harm(tmp_path / "harm"))
    assert (tmp_path / "harm").exists()
    assert seen
