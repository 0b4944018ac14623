"""What a compiled step looks like: layers are written so that the rewrite passes can join their ops."""

import numpy as np

from pykeras import backend as K
from pykeras import layers, losses, optimizers


def steps_of(function, arrays):
    """Returns the lines of the plan that run in every call."""
    return [line.strip() for line in function.describe(arrays).splitlines() if line.startswith("      ")]


def test_prediction_is_one_step_per_layer():
    """Convolution, batch normalization and activation are one step in prediction; so is a Dense layer."""
    x = layers.Input(shape=(8, 8, 3))
    y = layers.Conv2D(4, 3, use_bias=False)(x)
    y = layers.Activation("relu")(layers.BatchNormalization()(y))
    y = layers.Dense(5, activation="tanh")(layers.Flatten()(y))
    steps = steps_of(K.function([x], [y]), [np.zeros((2, 8, 8, 3), "float32")])
    assert len(steps) == 2, steps
    assert steps[0].startswith("conv2d_fused") and steps[1].startswith("dense")


def test_prediction_on_volumes_is_one_step_per_layer():
    """The same for Conv3D; with channels_first, one transpose at either edge."""
    for data_format, axis in (("channels_last", -1), ("channels_first", 1)):
        options = {"data_format": data_format}
        x = layers.Input(shape=(6, 6, 6, 3) if axis < 0 else (3, 6, 6, 6))
        y = layers.Conv3D(4, 3, use_bias=False, **options)(x)
        y = layers.Activation("relu")(layers.BatchNormalization(axis=axis)(y))
        y = layers.MaxPooling3D(2, **options)(
            layers.Conv3D(5, 3, activation="tanh", padding="same", **options)(y)
        )
        arrays = [np.zeros((2, *x.shape[1:]), "float32")]
        kinds = [step.split("(")[0] for step in steps_of(K.function([x], [y]), arrays)]
        work = ["conv3d_fused", "conv3d_fused", "max_pool3d"]
        assert kinds == (work if axis < 0 else ["transpose", *work, "transpose"])


def test_training_does_not_compute_the_other_phase():
    """4.18: the branch of inference, its gradient included, is no part of a training step."""
    x = layers.Input(shape=(4, 4, 3))
    layer = layers.BatchNormalization(axis=1)
    loss = K.sum(K.square(layers.Dropout(0.5)(layer(x))))
    grads = K.gradients(loss, layer.trainable_weights + [x])
    function = K.function([x, K.learning_phase()], [loss, *grads])
    data = np.random.RandomState(0).normal(size=(2, 4, 4, 3)).astype("float32")
    steps = steps_of(function, [data, 1])
    assert sum(step.startswith("batch_norm_train(") for step in steps) == 1
    assert sum(step.startswith("batch_norm_train_grad(") for step in steps) == 1
    assert not [step for step in steps if "rsqrt" in step or step.startswith(("fill", "sum_to_like"))], steps
    assert not any("rsqrt" in step for step in steps)


def test_optimizer_is_one_loop_per_weight():
    """11.9: all state of a weight is updated in one pass over it; scalars are computed once per step."""
    for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"):
        x, y = layers.Input(shape=(6,)), K.placeholder((None, 1))
        first, second = layers.Dense(4, activation="relu"), layers.Dense(1)
        output = second(first(x))
        loss = K.mean(losses.mean_squared_error(y, output))
        weights = first.trainable_weights + second.trainable_weights
        updates = getattr(optimizers, name)().get_updates(loss, weights)
        function = K.function([x, y], [loss], updates=updates)
        steps = steps_of(function, [np.zeros((3, 6), "float32"), np.zeros((3, 1), "float32")])
        for shape in ("(6, 4)", "(4, 1)"):
            writers = [step for step in steps if f"{shape} variable" in step.split("->")[-1]]
            assert len(writers) == 1, (name, shape, writers)
