"""What do the filters of a convolution look for? Pictures that excite them most, found by walking uphill from
grey noise.

For each filter: the mean of its map is the height, the gradient with respect to the picture the way. The
64 filters (16 with --fast) that were excited most go into one picture.

Run: python examples/conv_filter_visualization.py [--fast] [--network SqueezeNet --weights FILE]
"""

import argparse
from time import perf_counter

import numpy as np
from vision import add_arguments, build, write_picture

from pykeras import backend as K

parser = argparse.ArgumentParser()
add_arguments(parser, "VGG16")
parser.add_argument("--layer", help="block5_conv1 of VGG16, fire5/concat of SqueezeNet")
parser.add_argument("--steps", type=int, default=20, help="uphill, for each filter")
parser.add_argument("--side", type=int, default=128, help="of each picture, in pixels")
parser.add_argument("--output", default="filters.png")
options = parser.parse_args()
side, steps, filters, across = (64, 12, 24, 4) if options.fast else (options.side, options.steps, 200, 8)
layer = options.layer or ("block5_conv1" if options.network == "VGG16" else "fire5/concat")


def to_picture(x):
    """Any numbers → uint8 around a mean grey."""
    x = (x - x.mean()) / (x.std() + K.epsilon())
    return np.uint8(255 * np.clip(0.5 + 0.1 * x, 0, 1))


model = build(options.network, options.weights)
layers = {layer.name: layer for layer in model.layers}
picture = model.input
maps = layers[layer].output
filters = min(filters, K.int_shape(maps)[-1])

found = []
start = perf_counter()
for number in range(filters):
    excitement = K.mean(
        maps[:, number, :, :] if K.image_data_format() == "channels_first" else maps[..., number]
    )
    gradient = K.gradients(excitement, picture)[0]
    gradient /= K.sqrt(K.mean(K.square(gradient))) + K.epsilon()  # steps of one length on every filter
    step = K.function([picture], [excitement, gradient])

    x = (np.random.random((1, side, side, 3)) - 0.5) * 20 + 128
    first = None
    for _ in range(steps):
        value, direction = step([x])
        first = value if first is None else first
        x += direction
        if value <= 0:  # some filters see nothing at all
            break
    if value > 0:
        found.append((float(value), float(first), to_picture(x[0])))
print(f"{filters} filters in {perf_counter() - start:.1f} s")

found.sort(key=lambda entry: -entry[0])
best = found[: across * across]
margin = 5
sheet = np.zeros((across * (side + margin) - margin, across * (side + margin) - margin, 3), "uint8")
for place, (_, _, tile) in enumerate(best):
    row, column = (index * (side + margin) for index in divmod(place, across))
    sheet[row : row + side, column : column + side] = tile
write_picture(options.output, sheet)
print(f"mean at the start: {np.mean([first for _, first, _ in best]):.4f}")
print(f"mean at the end: {np.mean([value for value, _, _ in best]):.4f}")
