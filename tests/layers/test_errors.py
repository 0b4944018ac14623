"""Errors of layers: type and words (BEHAVIOURS 4, 20)."""

import pytest

from pykeras import activations, initializers, layers
from pykeras.layers import Input


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda: layers.Conv2D(2, 3), (5, 5), "expected ndim=4, found ndim=3"),
        (lambda: layers.Conv1D(2, 3), (5,), "expected ndim=3, found ndim=2"),
        (lambda: layers.MaxPooling2D(), (5, 5), "expected ndim=4, found ndim=3"),
        (lambda: layers.RepeatVector(2), (5, 5), "expected ndim=2, found ndim=3"),
        (lambda: layers.Permute((2, 1)), (5,), "expected ndim=3, found ndim=2"),
        (lambda: layers.Flatten(), (5,), "expected min_ndim=3, found ndim=2"),
        (lambda: layers.Dense(2), (None,), "should be defined"),
        (lambda: layers.Conv2D(2, 3), (5, 5, None), "should be defined"),
        (lambda: layers.BatchNormalization(), (None,), "should be defined"),
        (lambda: layers.Flatten(), (None, 3), "not fully defined"),
        (lambda: layers.Reshape((5, 5)), (24,), "total size of new array must be unchanged"),
        (lambda: layers.Reshape((5, -1)), (24,), "total size of new array must be unchanged"),
        (lambda: layers.Reshape((-1, -1)), (24,), "one unknown dimension"),
        (lambda: layers.LocallyConnected2D(2, 3), (None, 5, 2), "fully-defined"),
        (lambda: layers.Cropping1D(3), (6, 2), "nothing would be left"),
    ],
)
def test_shapes(make, shape, words):
    """4.5, 4.6, 20: wrong ranks and unknown sizes are found at graph time, and the layer is named."""
    layer = make()
    with pytest.raises(ValueError, match=words) as error:
        layer(Input(shape=shape))
    assert layer.name in str(error.value)


def test_second_call_with_other_features():
    """4.1, 20: after build the last axis is fixed."""
    layer = layers.Dense(2, name="fc")
    layer(Input(shape=(3,)))
    with pytest.raises(ValueError, match="incompatible with layer fc"):
        layer(Input(shape=(4,)))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: layers.Dense(2, unit=3), TypeError, "Keyword argument not understood"),
        (
            lambda: layers.Conv2D(2, (3, 3, 3)),
            ValueError,
            "`kernel_size` argument must be a tuple of 2 integers",
        ),
        (lambda: layers.Conv2D(2, 3, padding="sam"), ValueError, "`padding` argument must be"),
        (lambda: layers.Conv2D(2, 3, data_format="last"), ValueError, "data_format"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), ValueError, "`padding` should have 2 elements"),
        (lambda: layers.Cropping2D(((1, 2, 3), 1)), ValueError, "tuple of 2 integers"),
        (lambda: layers.UpSampling2D(interpolation="cubic"), ValueError, "interpolation"),
        (lambda: layers.Permute((1, 3)), ValueError, "Invalid permutation"),
        (lambda: layers.Dot("axes"), TypeError, "Invalid type for `axes`"),
        (lambda: layers.Dot((1, 2, 3)), ValueError, "should contain two elements"),
        (lambda: layers.ReLU(max_value=-1.0), ValueError, "cannot be negative"),
        (lambda: layers.BatchNormalization(axis=[1, 2]), ValueError, "one channel axis"),
        (
            lambda: layers.Conv2DTranspose(2, 3, strides=2, output_padding=2),
            ValueError,
            "greater than output padding",
        ),
        (
            lambda: layers.LocallyConnected1D(2, 3, padding="same"),
            ValueError,
            "only .valid. is supported",
        ),  # 4.22
        (lambda: initializers.VarianceScaling(scale=-1), ValueError, "`scale` must be a positive float"),
        (lambda: initializers.VarianceScaling(mode="fan"), ValueError, "Invalid `mode`"),
        (lambda: initializers.VarianceScaling(distribution="beta"), ValueError, "Invalid `distribution`"),
        (lambda: initializers.Identity()((2, 3)), ValueError, "2D square"),
        (lambda: activations.get("no_such"), ValueError, "Unknown activation function"),
        (lambda: activations.get(3), ValueError, "Could not interpret activation"),
    ],
)
def test_arguments(make, error, words):
    """20."""
    with pytest.raises(error, match=words):
        make()


def test_merge_shapes():
    """4.21, 20."""
    a, b = Input(shape=(2, 3)), Input(shape=(4, 3))
    with pytest.raises(ValueError, match="Operands could not be broadcast together with shapes"):
        layers.add([a, b])
    with pytest.raises(ValueError, match="matching shapes except for the concat axis"):
        layers.concatenate([a, b])
    with pytest.raises(ValueError, match=r"at least 2 inputs|list of inputs"):
        layers.add([a])
    with pytest.raises(ValueError, match="list of inputs"):
        layers.add(a)
    with pytest.raises(ValueError, match="at least 2 inputs"):
        layers.concatenate([a])
    with pytest.raises(ValueError, match="exactly 2 inputs"):
        layers.subtract([a, a, a])
    with pytest.raises(ValueError, match=r"list of 2 inputs|exactly 2 inputs"):
        layers.Dot(1)([a, a, a])
    with pytest.raises(ValueError, match="Dimension incompatibility"):
        layers.dot([a, b], axes=1)
    with pytest.raises(ValueError, match="different batch sizes"):
        layers.add([Input(batch_shape=(2, 3)), Input(batch_shape=(3, 3))])


def test_strides_with_dilation():
    """4.9."""
    with pytest.raises(ValueError, match=r"[Ss]trides.*dilation"):
        layers.Conv2D(2, 3, strides=2, dilation_rate=2)(Input(shape=(9, 9, 1)))


def test_layer_as_activation_warns():
    """4.2."""
    with pytest.warns(UserWarning, match="layer"):
        layers.Dense(2, activation=layers.LeakyReLU())


def test_activation_none_is_linear():
    """4.2."""
    assert layers.Dense(2).activation is activations.linear
