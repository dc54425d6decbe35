import json
import re
import signal

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import FixedTrial
from typer.testing import CliRunner

from skser import cli
from skser.cli._study import choose_space, trial_line
from skser.datasets import make_emotional_speech
from skser.exceptions import LeakageWarning, ParameterError
from skser.persistence import load_info
from skser.persistence._any_model import load_model
from skser.recipes import functionals

optuna.logging.set_verbosity(optuna.logging.ERROR)
QUICK = [
    *("--recipe", "functionals"),
    *("--set", "augment__n_views=1"),
    *("--set", "features__blocks=['zcr','rms']"),
    *("--speaker", "speaker"),
]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV file of recordings with their speakers."""
    home = tmp_path_factory.mktemp("speech")
    speech = make_emotional_speech(
        home, n_speakers=3, emotions=["angry", "sad"], n_sentences=2, n_takes=1, random_state=0
    )
    rows = {"FileName": speech.paths, "Emotion": speech.target, "speaker": speech.groups}
    pd.DataFrame(rows).to_csv(home / "table.csv", index=False)
    return home / "table.csv"


def run(*arguments):
    """Lines and exit code of a command."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output.splitlines(), result.exit_code


@pytest.mark.slow
def test_tune_writes_its_results(table, tmp_path):
    out = tmp_path / "tuned"
    with pytest.warns(LeakageWarning) as caught:
        lines, code = run("tune", table, "--out", out, "--trials", 3, *QUICK)
    assert code == 0
    about = json.loads((out / "study.json").read_text())
    assert str(caught[0].message) == (
        f"UAR {about['uar']:.3f} is the best of 3 trials on the clips that it is scored on, so it "
        "flatters; --nested scores it on other speakers"
    )
    trials = [line for line in lines if line.startswith("trial ")]
    assert len(trials) == 3
    assert "the pipeline as it is (1 of 3); best" in trials[0]
    assert trials[2].endswith(f"best {about['uar']:.3f}, trial {about['best_trial']}")
    written = [line.rpartition("/")[2] for line in lines if line.startswith("wrote")]
    assert {"trials.csv", "study.json", "history.png", "best.skser"} <= set(written)
    assert any(line.startswith(f"UAR {about['uar']:.3f}, as it is") for line in lines)
    info = load_info(out / "best.skser")
    assert info.n_recordings == len(pd.read_csv(table))
    assert info.audio is not None
    best = load_model(out / "best.skser")
    recording = pd.read_csv(table)["FileName"][0]
    assert best.predict([recording])[0] in ("angry", "sad")
    assert best["features"].memory is None
    assert not list(tmp_path.glob("*.journal"))


@pytest.mark.slow
def test_the_same_command_resumes_the_study(table, tmp_path):
    command = ["tune", table, "--out", tmp_path, *QUICK, "--trials"]
    with pytest.warns(LeakageWarning):
        first, _ = run(*command, 2)
    with pytest.warns(LeakageWarning):
        second, _ = run(*command, 4)
    numbers = [
        [line.split(":")[0] for line in lines if "trial " in line[:6]] for lines in (first, second)
    ]
    assert numbers == [["trial 0", "trial 1"], ["trial 2", "trial 3"]]


@pytest.mark.slow
def test_nested(table, tmp_path):
    lines, code = run("tune", table, "--out", tmp_path, "--trials", 2, "--nested", *QUICK)
    assert code == 0
    assert any("parameters are tuned anew in each fold, by 2 trials" in line for line in lines)
    assert any("unweighted average recall" in line for line in lines)
    assert (tmp_path / "nested" / "report.html").is_file()
    assert (tmp_path / "nested" / "predictions.csv").is_file()


def test_interrupted(table, tmp_path, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("skser.tuning._objective.fit_and_measure", interrupted)
    arguments = ["skser", "tune", table, "--out", tmp_path, "--trials", 2, *QUICK]
    monkeypatch.setattr("sys.argv", [str(argument) for argument in arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 128 + signal.SIGTERM
    last = capsys.readouterr().err.splitlines()[-2:]
    assert last == ["run the same command again to resume the study", "skser: terminated"]
    monkeypatch.undo()
    with pytest.warns(LeakageWarning):
        _, code = run("tune", table, "--out", tmp_path, "--trials", 2, *QUICK)
    assert code == 0
    failure = pd.read_csv(tmp_path / "trials.csv")["failure"][0]
    assert failure == "lost or interrupted; run again as trial 1"


def test_spaces_by_name_range_and_file(tmp_path):
    pipeline = functionals()
    file = tmp_path / "mine.py"
    file.write_text(
        "def views(trial):\n"
        "    return {'augment__n_views': trial.suggest_int('augment__n_views', 1, 4)}\n"
    )
    space = choose_space(
        pipeline,
        ["classify", f"{file}:views"],
        [
            "load__duration=2:5",
            "load__offset=0.0:0.5",
            "features__n_fft=512,1024",
            "load__trim_db=None,30,fast",
            "load__sr=8e3:16e3:log",
        ],
    )
    values = {
        "classify__estimator__shrinkage": 0.5,
        "load__duration": 3,
        "load__offset": 0.25,
        "features__n_fft": 512,
        "load__trim_db": None,
        "load__sr": 1e4,
        "augment__n_views": 2,
    }
    trial = FixedTrial(values)
    assert space(trial) == values
    kinds = {name: type(kind).__name__ for name, kind in trial.distributions.items()}
    assert kinds == {
        "classify__estimator__shrinkage": "FloatDistribution",
        "load__duration": "IntDistribution",
        "load__offset": "FloatDistribution",
        "features__n_fft": "CategoricalDistribution",
        "load__trim_db": "CategoricalDistribution",
        "load__sr": "FloatDistribution",
        "augment__n_views": "IntDistribution",
    }
    assert trial.distributions["load__sr"].log
    assert trial.distributions["load__trim_db"].choices == (None, 30, "fast")


def test_default_space():
    space = choose_space(functionals(), [], [])
    assert list(space(FixedTrial({"classify__estimator__shrinkage": 0.3}))) == [
        "classify__estimator__shrinkage"
    ]
    alone = choose_space(functionals(), [], ["load__sr=8000,16000"])
    assert alone(FixedTrial({"load__sr": 8000})) == {"load__sr": 8000}


@pytest.mark.parametrize(
    ("state", "value", "attrs", "line"),
    [
        ("COMPLETE", 0.5, {}, "trial 0: UAR 0.500 (1 of 9); best 0.500, trial 0"),
        ("PRUNED", 0.25, {}, "trial 0: stopped at UAR 0.250 (1 of 9)"),
        (
            "FAIL",
            None,
            {"failure": "DataError: the loss\nis nan"},
            "trial 0: failed (DataError: the loss) (1 of 9)",
        ),
    ],
)
def test_line_of_a_trial(state, value, attrs, line):
    study = optuna.create_study(direction="maximize")
    state = optuna.trial.TrialState[state]
    trial = optuna.trial.create_trial(
        state=state, value=value, user_attrs=attrs, params={}, distributions={}
    )
    study.add_trial(trial)
    assert trial_line(study, study.trials[0], 9) == line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--range", "x"], "--range must be NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=VALUE,VALUE"),
        (["--range", "x=5:1"], "--range must be NAME=LOW:HIGH, "),
        (["--range", "x=0:1:log"], "--range must be NAME=LOW:HIGH, "),
        (["--range", "x=0:inf"], "--range must be NAME=LOW:HIGH, "),
        (["--range", "x=a:b"], "--range must be NAME=LOW:HIGH, "),
        (["--range", "x=1:2"], "there is no parameter 'x'"),
        (
            ["--space", "all"],
            "--space must be one of load, augment, features, classify, vote, or FILE.py:FUNCTION, "
            "got 'all'",
        ),
        (["--space", "none.py:space"], "--space must name an existing file, got none.py"),
        (["--space", "vote"], "parts must name at least one part that the pipeline has"),
        (["--folds", "luna"], "--folds must be"),
        (["--storage", "nothing"], "storage must be a path that ends in .journal"),
        (["--grace", "0"], "grace must be an integer of at least 2, got 0"),
        (["--set", "load__sr=0"], "sr must be"),
    ],
)
def test_errors_come_before_the_first_trial(table, tmp_path, options, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        run("tune", table, "--out", tmp_path / "new", *QUICK, *options)
    assert not (tmp_path / "new" / "trials.csv").exists()


def test_a_file_without_that_function(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("space = 1\n")
    with pytest.raises(ParameterError, match=r"--space must name a function of .*, got 'space'"):
        choose_space(functionals(), [f"{file}:space"], [])


def test_out_is_a_folder(table, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ParameterError, match="--out must be a folder, got the file"):
        run("tune", table, "--out", file, *QUICK)
    assert np.array_equal(file.read_bytes(), b"")
