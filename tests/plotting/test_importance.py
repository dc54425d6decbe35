"""Importance of blocks of features."""

import pandas as pd

from skser.plotting import BlockImportanceDisplay

from .drawn import labels


def test_block_importance(ax):
    table = pd.DataFrame({"mean": [0.3, 0.1], "sd": [0.1, 0.2]}, index=["mel", "pitch"])
    display = BlockImportanceDisplay(table).plot(ax=ax)
    assert [bar.get_width() for bar in display.bars_] == [0.3, 0.1]
    assert labels(ax.yaxis) == ["mel", "pitch"]
