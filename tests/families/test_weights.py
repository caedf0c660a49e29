"""The products that steps are made of."""

import numpy as np
import pytest

from sharks.families.numpy_parts.weights import one_hot, product, sigmoid


@pytest.mark.parametrize("shape", [(300, 200), (33, 7), (1, 64), (64, 1), (1024, 1024)])
def test_a_row_of_a_product_has_the_same_bits_alone(shape):
    random = np.random.default_rng(0)
    matrix, x = random.standard_normal(shape), random.standard_normal((5, shape[1]))
    together = product(matrix, x)
    assert np.allclose(together, x @ matrix.T, rtol=0, atol=1e-11)
    for i in range(5):
        assert (product(matrix, x[i : i + 1])[0] == together[i]).all()


def test_sigmoid_is_exact_enough_and_never_overflows():
    x = np.linspace(-30, 30, 1001)
    assert np.abs(sigmoid(x) - 1 / (1 + np.exp(-x))).max() < 1e-15
    with np.errstate(all="raise"):
        assert sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == [0, 0.5, 1]


def test_an_empty_place_is_all_zeros():
    assert one_hot(np.array([[1, -1]]), 3).tolist() == [[[0, 1, 0], [0, 0, 0]]]
