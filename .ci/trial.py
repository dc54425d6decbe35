"""What a user has after ``pip install``, tried from an empty folder by ``.ci/package``.

Without an argument it makes a small corpus, the folder ``speech`` and ``speech.csv``; with one it
checks what the commands wrote.
"""

import sys
from importlib.resources import files
from pathlib import Path

import skser
from skser.datasets import make_emotional_speech

folder = Path(skser.__file__).parent
assert "site-packages" in folder.parts, folder  # not the checkout

if len(sys.argv) == 1:
    package = files("skser")
    for name in ["py.typed", "__init__.pyi", "report/report.html.jinja", "serving/page/index.html"]:
        assert package.joinpath(name).is_file(), name
    emotions = ["angry", "happy", "sad"]
    speech = make_emotional_speech(
        "speech", n_speakers=3, emotions=emotions, n_sentences=1, n_takes=1, random_state=0
    )
    rows = zip(speech.paths, speech.target, speech.groups, strict=True)
    lines = ["FileName,Emotion,Speaker", *(",".join(map(str, row)) for row in rows)]
    Path("speech.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
else:
    rows = Path("labels.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(list(Path("speech").rglob("*.wav"))), rows
    labels = skser.load("model.skser").predict(sorted(map(str, Path("speech").rglob("*.wav"))))
    assert set(labels) <= {"angry", "happy", "sad"}, labels
    assert "unweighted average recall" in Path("scores", "report.html").read_text(encoding="utf-8")
