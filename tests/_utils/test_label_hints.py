import pytest

from skser._utils._label_hints import label_hints


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"rabbia": 23, "gioia": 20, "neutro": 3}, []),
        (
            {"rabbia": 23, "Rabbia": 1, "rabia": 1},
            ["'Rabbia' (1), 'rabia' (1): perhaps 'rabbia' (23)?"],
        ),
        ({"calm": 9, "calm ": 9, "sad": 9}, ["'calm ' (9): perhaps 'calm' (9)?"]),
        ({"calm": 9, "palm": 1, "clm": 1}, ["'palm' (1): perhaps 'calm' (9)?", "few"]),
        ({"sad": 9, "fear": 1, 3: 2}, ["3 (2), 'fear' (1): too few recordings; add some"]),
        ({"R": 9, "T": 9, "mood1": 9, "mood2": 9}, []),
        ({"calm": 2, "sad": 1}, []),
        ({}, []),
    ],
)
def test_label_hints(counts, expected):
    hints = label_hints(label for label, n in counts.items() for _ in range(n))
    assert len(hints) == len(expected)
    assert all(part in hint for part, hint in zip(expected, hints, strict=True))
