from skser._utils._docstrings import fill_in

PARAMETERS = """
X : array of shape (n_clips,)
    Recordings.
"""


@fill_in(parameters=PARAMETERS, number="three")
def documented(X):
    """Count {number} clips, by {key}.

    Parameters
    ----------
    {parameters}
    """


def test_texts_are_filled_in_and_other_braces_stay():
    assert documented.__doc__ == (
        "Count three clips, by {key}.\n\nParameters\n----------\n"
        "X : array of shape (n_clips,)\n    Recordings."
    )


def test_functions_without_a_docstring():
    assert fill_in(number="three")(lambda: None).__doc__ is None
