"""One picture painted in the style of another (Gatys, Ecker and Bethge, arXiv:1508.06576).

Content: the maps of a late layer stay near those of the photo. Style: which features occur together (Gram
matrices of the maps) comes near to those of the painting, in several layers. And neighbouring pixels shall
not differ much. The picture is the unknown; SciPy's L-BFGS finds it, with the loss and its gradient from
one call of the network.

Needs SciPy and Pillow.

Run: python examples/neural_style_transfer.py photo.jpg painting.jpg result [--fast] [--iter 10]
     [--content_weight 0.025] [--style_weight 1.0] [--tv_weight 1.0] [--network SqueezeNet --weights FILE]
"""

import argparse
from time import perf_counter

from scipy.optimize import fmin_l_bfgs_b
from vision import add_arguments, build, from_network, read_picture, to_network, write_picture

from pykeras import backend as K
from pykeras.preprocessing.image import load_img

parser = argparse.ArgumentParser()
parser.add_argument("photo")
parser.add_argument("painting")
parser.add_argument("result", help="what the names of the written pictures begin with")
parser.add_argument("--iter", type=int, default=10, help="rounds of 20 evaluations")
parser.add_argument("--content_weight", type=float, default=0.025)
parser.add_argument("--style_weight", type=float, default=1.0)
parser.add_argument("--tv_weight", type=float, default=1.0)
parser.add_argument("--rows", type=int, default=400, help="height of the result")
add_arguments(parser, "VGG19")
options = parser.parse_args()
if options.network == "VGG19":
    content_layer = "block5_conv2"
    style_layers = [f"block{i}_conv1" for i in range(1, 6)]
else:
    content_layer = "fire5/concat"
    style_layers = ["relu_conv1", "fire2/concat", "fire3/concat", "fire5/concat", "fire7/concat"]
rounds = 2 if options.fast else options.iter
rows = 64 if options.fast else options.rows

width, height = load_img(options.photo).size
size = (rows, int(width * rows / height))
shape = (1, 3, *size) if K.image_data_format() == "channels_first" else (1, *size, 3)


def prepared(path):
    x = to_network(read_picture(path, size))
    return x.transpose(0, 3, 1, 2) if shape[1] == 3 else x


# The network looks at three pictures at once: two that are given and the one that is looked for.
photo = K.variable(prepared(options.photo))
painting = K.variable(prepared(options.painting))
mixture = K.placeholder(shape)
model = build(
    options.network, options.weights, input_tensor=K.concatenate([photo, painting, mixture], axis=0)
)
outputs = {layer.name: layer.output for layer in model.layers}


def gram(maps):
    """(rows, columns, features) → (features, features): which features occur together."""
    if K.image_data_format() == "channels_first":
        features = K.batch_flatten(maps)
    else:
        features = K.batch_flatten(K.permute_dimensions(maps, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, found):
    pixels = size[0] * size[1]
    return K.sum(K.square(gram(style) - gram(found))) / (4.0 * 3**2 * pixels**2)


def content_loss(wanted, found):
    return K.sum(K.square(found - wanted))


def variation(x):
    """Differences to the right and lower neighbours."""
    if K.image_data_format() == "channels_first":
        here, below, right = x[:, :, :-1, :-1], x[:, :, 1:, :-1], x[:, :, :-1, 1:]
    else:
        here, below, right = x[:, :-1, :-1, :], x[:, 1:, :-1, :], x[:, :-1, 1:, :]
    return K.sum(K.pow(K.square(here - below) + K.square(here - right), 1.25))


loss = K.variable(0.0)
maps = outputs[content_layer]
loss += options.content_weight * content_loss(maps[0, :, :, :], maps[2, :, :, :])
for name in style_layers:
    maps = outputs[name]
    loss += options.style_weight / len(style_layers) * style_loss(maps[1, :, :, :], maps[2, :, :, :])
loss += options.tv_weight * variation(mixture)
gradients = K.gradients(loss, mixture)
loss_and_gradients = K.function([mixture], [loss, *gradients])


def evaluate(flat):
    """What L-BFGS asks for: loss and gradient, flat and in double precision."""
    value, gradient = loss_and_gradients([flat.reshape(shape)])
    return float(value), gradient.ravel().astype("float64")


x = prepared(options.photo).ravel().astype("float64")
begin, _ = evaluate(x)
for number in range(rounds):
    start = perf_counter()
    x, value, _ = fmin_l_bfgs_b(evaluate, x, maxfun=10 if options.fast else 20)
    print(f"round {number}: loss {value:.5g}, {perf_counter() - start:.1f} s")
    picture = x.reshape(shape)[0]
    picture = picture.transpose(1, 2, 0) if shape[1] == 3 else picture
    if number == rounds - 1 or not options.fast:
        write_picture(f"{options.result}_at_iteration_{number}.png", from_network(picture))
print(f"loss at the start: {begin:.5g}")
print(f"loss at the end: {value:.5g}")
