"""Deep dream: a picture is changed so that a network sees more of what it sees in it already.

The heights of some layers are summed, and the picture walks uphill. This is done at several sizes
("octaves"), from small to large; what was lost by shrinking is put back before each step up.

Needs SciPy and Pillow.

Run: python examples/deep_dream.py photo.jpg dream.png [--fast] [--network SqueezeNet --weights FILE]
"""

import argparse

import numpy as np
import scipy.ndimage
from vision import add_arguments, build, from_network, read_picture, to_network, write_picture

from pykeras import backend as K
from pykeras.applications import inception_v3

parser = argparse.ArgumentParser()
parser.add_argument("photo")
parser.add_argument("dream")
add_arguments(parser, "InceptionV3")
parser.add_argument("--step", type=float, default=1.5, help="length of a step, for SqueezeNet")
parser.add_argument("--steps", type=int, default=20, help="for each size")
options = parser.parse_args()
# How much each layer counts: more of the early ones gives textures, of the late ones objects.
if options.network == "InceptionV3":
    settings = {"mixed2": 0.2, "mixed3": 0.5, "mixed4": 2.0, "mixed5": 1.5}
    step, limit = 0.01, 10.0
else:
    settings = {"fire4/concat": 0.5, "fire6/concat": 2.0, "fire8/concat": 1.5}
    step, limit = options.step, None  # its pictures go to 255, those of Inception from -1 to 1
octaves, ratio, steps = (2, 1.4, 4) if options.fast else (3, 1.4, options.steps)

K.set_learning_phase(0)  # nothing is trained: dropout and normalization are as in use
model = build(options.network, options.weights)
dream = model.input
layers = {layer.name: layer for layer in model.layers}

loss = K.variable(0.0)
for name, weight in settings.items():
    if name not in layers:
        raise ValueError(f"Layer {name} not found in the network")
    x = layers[name].output
    scale = K.prod(K.cast(K.shape(x), "float32"))
    # The margins are left out: they make artefacts.
    if K.image_data_format() == "channels_first":
        loss += weight * K.sum(K.square(x[:, :, 2:-2, 2:-2])) / scale
    else:
        loss += weight * K.sum(K.square(x[:, 2:-2, 2:-2, :])) / scale
gradient = K.gradients(loss, dream)[0]
gradient /= K.maximum(K.mean(K.abs(gradient)), K.epsilon())
loss_and_gradient = K.function([dream], [loss, gradient])


def uphill(x, steps, step, limit):
    """Walks `steps` steps; stops when the loss is beyond the limit."""
    for number in range(steps):
        value, direction = loss_and_gradient([x])
        losses.append(float(value))
        if limit is not None and value > limit:
            break
        print(f"  loss at step {number}: {value:.6g}")
        x = x + step * direction
    return x


def resize(x, shape):
    """(1, rows, columns, channels) to other rows and columns."""
    factors = (1, shape[0] / x.shape[1], shape[1] / x.shape[2], 1)
    return scipy.ndimage.zoom(x, factors, order=1)


losses = []
photo = read_picture(options.photo, (96, 96) if options.fast else None)
photo = (inception_v3.preprocess_input if options.network == "InceptionV3" else to_network)(photo)
original = photo.shape[1:3]
shapes = [tuple(int(side / ratio**i) for side in original) for i in reversed(range(octaves))]
shrunk = resize(photo, shapes[0])
x = shrunk
for shape in shapes:
    print("size", shape)
    x = resize(x, shape)
    x = x + resize(photo, shape) - resize(shrunk, shape)  # the details that the smaller size had lost
    x = uphill(x, steps, step, limit)
    shrunk = resize(photo, shape)
if options.network == "InceptionV3":
    picture = np.uint8(np.clip(127.5 * x[0] + 127.5, 0, 255))
else:
    picture = from_network(x[0])
write_picture(options.dream, picture)
print(f"loss at the start: {losses[0]:.6g}")
print(f"loss at the end: {losses[-1]:.6g}")
