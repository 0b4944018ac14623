"""A scribble becomes a painting: the style of a picture is applied region by region (Champandard,
arXiv:1603.01768).

Two scribbles say with their colours which regions of the style picture and of the result belong together.
A second network of nothing but poolings, built in step with the trained one, shrinks the masks of the
regions to the size of every layer. Without scribbles, the brightness of the photo is divided into regions,
and those of the mirrored photo are painted.

Needs SciPy and Pillow; scikit-learn for the regions of given scribbles.

Run: python examples/neural_doodle.py --photo style.png --output result [--fast] [--labels 4]
     [--style-mask a.png --target-mask b.png] [--content photo.png] [--network SqueezeNet --weights FILE]
"""

import argparse
from time import perf_counter

import numpy as np
from scipy.optimize import fmin_l_bfgs_b
from vision import add_arguments, build, from_network, read_picture, to_network, write_picture

from pykeras import backend as K
from pykeras.layers import AveragePooling2D, Conv2D, Input, MaxPooling2D
from pykeras.models import Model

parser = argparse.ArgumentParser()
parser.add_argument("--photo", required=True, help="the picture whose style is taken")
parser.add_argument("--output", default="doodle", help="what the names of the written pictures begin with")
parser.add_argument("--style-mask", help="a scribble of the regions of the photo")
parser.add_argument("--target-mask", help="a scribble of the regions that are wanted")
parser.add_argument("--content", help="a picture that the result shall be like")
parser.add_argument("--labels", type=int, default=4, help="number of regions")
parser.add_argument("--iter", type=int, default=10)
parser.add_argument("--rows", type=int, default=256)
add_arguments(parser, "VGG19")
options = parser.parse_args()
rounds = 2 if options.fast else options.iter
rows = 64 if options.fast else options.rows
STYLE, VARIATION, CONTENT = 50.0, 8.5e-5, 0.1
if options.network == "VGG19":
    style_layers = [f"block{i}_conv1" for i in range(1, 5)]
    content_layers = ["block5_conv2"]
else:
    style_layers = ["relu_conv1", "fire2/concat", "fire3/concat", "fire5/concat"]
    content_layers = ["fire7/concat"]

picture = read_picture(options.photo)
size = (rows, int(picture.shape[2] * rows / picture.shape[1]))
photo = to_network(read_picture(options.photo, size))


def regions_of(scribbles):
    """Pictures (n, rows, columns, 3) → region of every pixel (n, rows, columns), by k-means of colours."""
    from sklearn.cluster import KMeans

    pixels = scribbles.reshape(-1, 3)
    found = KMeans(n_clusters=options.labels, n_init=3, random_state=0).fit(pixels).predict(pixels)
    return found.reshape(scribbles.shape[:3])


if options.style_mask:
    scribbles = [read_picture(path, size)[0] for path in (options.style_mask, options.target_mask)]
    style_regions, target_regions = regions_of(np.stack(scribbles))
else:
    brightness = photo[0].mean(axis=-1)
    steps = np.quantile(brightness, np.linspace(0, 1, options.labels + 1)[1:-1])
    style_regions = np.digitize(brightness, steps)
    target_regions = style_regions[:, ::-1]
# One map for each region: 1 inside, 0 outside.
masks = np.stack(
    [[regions == label for label in range(options.labels)] for regions in (style_regions, target_regions)]
)
masks = masks.transpose(0, 2, 3, 1).astype("float32")  # (2, rows, columns, labels)

target = K.placeholder(shape=(1, *size, 3))
style_picture = K.variable(photo)
given = [style_picture, target]
if options.content:
    given.insert(1, K.variable(to_network(read_picture(options.content, size))))
model = build(options.network, options.weights, input_tensor=K.concatenate(given, axis=0))

# The masks go through poolings of the same sizes as the network's, so that every layer has masks of its size.
mask_input = Input(tensor=K.variable(masks), shape=(None, None, None), name="mask_input")
x = mask_input
for layer in model.layers[1:]:
    name = f"mask_{layer.name.replace('/', '_')}"
    if isinstance(layer, Conv2D) and layer.kernel_size != (1, 1):
        x = AveragePooling2D(layer.kernel_size, strides=layer.strides, padding=layer.padding, name=name)(x)
    elif isinstance(layer, MaxPooling2D):
        x = AveragePooling2D(layer.pool_size, strides=layer.strides, padding=layer.padding, name=name)(x)
mask_model = Model(mask_input, x)

features, mask_maps = {}, {}
found_masks = mask_input
for layer in model.layers[1:]:
    name = f"mask_{layer.name.replace('/', '_')}"
    if any(name == other.name for other in mask_model.layers):
        found_masks = mask_model.get_layer(name).output
    features[layer.name] = layer.output
    mask_maps[layer.name] = found_masks


def gram(maps):
    """(rows, columns, features) → (features, features)"""
    assert K.ndim(maps) == 3
    flat = K.batch_flatten(K.permute_dimensions(maps, (2, 0, 1)))
    return K.dot(flat, K.transpose(flat))


def region_loss(style, found, style_mask, target_mask):
    """Difference of the Gram matrices inside one region, as shares of its area."""
    channels = K.cast(K.shape(style)[-1], K.floatx())

    def inside(maps, mask):
        masked = maps * K.expand_dims(mask)
        return gram(masked) / K.maximum(K.mean(mask), K.epsilon()) / channels

    return K.mean(K.square(inside(style, style_mask) - inside(found, target_mask)))


def style_loss(maps, mask):
    loss = K.zeros((1,))
    for label in range(options.labels):
        loss = loss + region_loss(maps[0], maps[len(given) - 1], mask[0, :, :, label], mask[1, :, :, label])
    return K.sum(loss)


def variation(x):
    here, below, right = x[:, :-1, :-1, :], x[:, 1:, :-1, :], x[:, :-1, 1:, :]
    return K.sum(K.pow(K.square(here - below) + K.square(here - right), 1.25))


loss = K.variable(0.0)
for name in style_layers:
    loss += STYLE / len(style_layers) * style_loss(features[name], mask_maps[name])
for name in content_layers if options.content else ():
    loss += CONTENT * K.sum(K.square(features[name][1] - features[name][2]))
loss += VARIATION * variation(target)
loss_and_gradients = K.function([target], [loss, *K.gradients(loss, target)])


def evaluate(flat):
    value, gradient = loss_and_gradients([flat.reshape(1, *size, 3)])
    return float(value), gradient.ravel().astype("float64")


if options.content:
    x = to_network(read_picture(options.content, size)).ravel().astype("float64")
else:
    x = np.random.uniform(-20, 20, 3 * size[0] * size[1])
begin, _ = evaluate(x)
for number in range(rounds):
    start = perf_counter()
    x, value, _ = fmin_l_bfgs_b(evaluate, x, maxfun=10 if options.fast else 20)
    print(f"round {number}: loss {value:.5g}, {perf_counter() - start:.1f} s")
    if number == rounds - 1 or not options.fast:
        write_picture(f"{options.output}_at_iteration_{number}.png", from_network(x.reshape(*size, 3)))
print(f"loss at the start: {begin:.5g}")
print(f"loss at the end: {value:.5g}")
