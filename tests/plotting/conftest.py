"""Axes to draw into, and an evaluation."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from skser import evaluate
from tests.evaluations import noises, quick_pipeline


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="package")
def evaluation():
    return evaluate(quick_pipeline(), noises())
