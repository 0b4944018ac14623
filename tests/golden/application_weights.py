"""Weights and pictures that both sides of the comparison of applications make for themselves, from a rule.

Only NumPy is needed, so that make_applications.py (under tf_keras) and tests/applications (under pykeras)
share it.
"""

import hashlib
import re

import numpy as np

# A prime number of values: no shape of a weight goes with it, so that rows and channels differ.
POOL = np.random.RandomState(20).standard_normal(1_000_003).astype("float32")
TWICE = np.concatenate([POOL, POOL])

# case → class, size of the pictures, further arguments
CASES = {
    "VGG16": ("VGG16", 48, {}),
    "VGG19": ("VGG19", 48, {}),
    "ResNet50": ("ResNet50", 197, {}),
    "InceptionV3": ("InceptionV3", 139, {}),
    "InceptionResNetV2": ("InceptionResNetV2", 139, {}),
    "Xception": ("Xception", 71, {}),
    "MobileNet": ("MobileNet", 64, {}),
    "MobileNet_quarter": ("MobileNet", 96, {"alpha": 0.25, "depth_multiplier": 2}),
    "MobileNetV2": ("MobileNetV2", 75, {}),
    "MobileNetV2_wide": ("MobileNetV2", 64, {"alpha": 1.4}),
    "DenseNet121": ("DenseNet121", 64, {}),
    "DenseNet169": ("DenseNet169", 64, {}),
    "DenseNet201": ("DenseNet201", 64, {}),
    "NASNetMobile": ("NASNetMobile", 71, {}),
    "NASNetLarge": ("NASNetLarge", 65, {}),
}
CLASSES = 10


def values(number, shape):
    """Standard normal numbers for weight `number`, the same ones on both sides."""
    start, count = number * 7919 % len(POOL), int(np.prod(shape))
    return np.resize(TWICE[start : start + min(count, len(POOL))], shape)


def draw(number, name, shape):
    """The value of one weight.

    Args:
        number: how many weights come before it in `model.layers`.
        name: its name in the layer: 'kernel', 'gamma', 'moving_variance' …
        shape: its shape.
    """
    array = values(number, shape)
    if name == "moving_variance":
        return 1.0 + 0.5 * np.tanh(array) ** 2
    if name == "gamma":
        return 1.0 + 0.1 * array
    if name in ("beta", "bias", "moving_mean"):
        return 0.1 * array
    fan_in = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:-1])
    return array * np.float32(np.sqrt(1.6 / fan_in))


def weight_name(name):
    """'block1/conv/kernel:0' → 'kernel'."""
    return re.sub(r"(_\d+)?:0$", "", name.rsplit("/", 1)[-1])


def weighted(model):
    """The layers that have weights, in the order of the model."""
    return [layer for layer in model.layers if layer.weights]


def fill(layers, top_scale=1.0):
    """Gives the weights of layers their values; the last layer's are multiplied with `top_scale`."""
    number = 0
    for layer in layers:
        arrays = []
        for weight in layer.weights:
            array = draw(number, weight_name(weight.name), tuple(int(n) for n in weight.shape))
            arrays.append(array * np.float32(top_scale) if layer is layers[-1] else array)
            number += 1
        layer.set_weights(arrays)


def pictures(size):
    """Two pictures of normal numbers, (2, size, size, 3)."""
    return np.random.RandomState(size).standard_normal((2, size, size, 3)).astype("float32")


AUTOMATIC = re.compile(r"(batch_normalization|conv2d|dense|depthwise_conv2d|separable_conv2d)(_\d+)?")


def order(layers, rename=lambda name: name):
    """Two digests: of the shapes of all weights in order, and of the names of the layers that have them."""
    shapes = "\n".join(
        f"{weight_name(w.name)} {[int(n) for n in w.shape]}" for layer in layers for w in layer.weights
    )
    names = "\n".join(AUTOMATIC.sub(r"\1", rename(layer.name)) for layer in layers)
    return [hashlib.sha256(text.encode()).hexdigest()[:16] for text in (shapes, names)]
