import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import histogram_kernels as naive
from sklearn.metrics import pairwise

from microexpr.classifiers.kernels import chi2_distances, chi2_kernel, intersection_kernel
from microexpr.core.errors import DataError, ParameterError


def histograms(n_rows, n_features, seed=0):
    """Many bins are empty, as those of texture histograms are."""
    rng = np.random.default_rng(seed)
    return rng.random((n_rows, n_features)) * (rng.random((n_rows, n_features)) < 0.6)


SIZES = {"n_rows": st.integers(1, 7), "n_columns": st.integers(1, 7), "n_features": st.integers(1, 200)}


@settings(max_examples=40, deadline=None)
@given(**SIZES, seed=st.integers(0, 1000))
def test_any_two_matrices_agree_with_the_naive_sums(n_rows, n_columns, n_features, seed):
    rows, columns = histograms(n_rows, n_features, seed), histograms(n_columns, n_features, seed + 1)
    np.testing.assert_allclose(chi2_distances(rows, columns), naive.chi2_distances(rows, columns), rtol=1e-12)
    np.testing.assert_allclose(intersection_kernel(rows, columns), naive.intersections(rows, columns), rtol=1e-12)


@pytest.mark.parametrize("n_features", [1, 63, 64, 65, 885])
def test_one_matrix_alone_is_compared_with_itself(n_features):
    rows = histograms(9, n_features)
    for ours, theirs in ((chi2_distances, naive.chi2_distances), (intersection_kernel, naive.intersections)):
        alone = ours(rows)
        np.testing.assert_allclose(alone, theirs(rows, rows), rtol=1e-12)
        np.testing.assert_array_equal(alone, alone.T)
    np.testing.assert_array_equal(np.diag(chi2_distances(rows)), 0)


def test_the_chi_square_kernel_is_scikit_learns():
    rows, columns = histograms(20, 300), histograms(11, 300, seed=1)
    expected = pairwise.chi2_kernel(rows, columns, gamma=0.37)
    np.testing.assert_allclose(chi2_kernel(rows, columns, gamma=0.37), expected, rtol=1e-12)
    np.testing.assert_allclose(chi2_kernel(rows, gamma=2), pairwise.chi2_kernel(rows, gamma=2), rtol=1e-12)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, -0.1]], "negative or not finite"),
        ([[1.0, np.nan]], "negative or not finite"),
        ([[1.0, np.inf]], "negative or not finite"),
        ([1.0, 2.0], "shape"),
        ([["a", "b"]], "no array of numbers"),
        ([[1.0, 2.0, 3.0]], "3 bins and Y of 2"),
    ],
)
def test_what_are_no_histograms_is_refused(rows, message):
    for function in (chi2_distances, intersection_kernel):
        with pytest.raises(DataError, match=message):
            function(rows, [[0.5, 0.5]])


@pytest.mark.parametrize("gamma", [0, -1.0, np.nan, "auto"])
def test_a_width_that_is_no_positive_number_is_refused(gamma):
    with pytest.raises(ParameterError, match="gamma is"):
        chi2_kernel([[1.0]], gamma=gamma)


def test_the_kernels_run_uncompiled():
    program = (
        "import numpy as np\n"
        "from microexpr.classifiers.kernels import chi2_distances, intersection_kernel\n"
        "rows = np.arange(12.0).reshape(3, 4)\n"
        "print(chi2_distances(rows).tolist() == chi2_distances(rows, rows).tolist())\n"
        "print(intersection_kernel(rows).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "True\n[[6.0, 6.0, 6.0], [6.0, 22.0, 22.0], [6.0, 22.0, 38.0]]"
