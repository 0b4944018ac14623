"""What the examples with pictures share: trained networks, reading and writing pictures.

The networks are those of keras.applications, whose published weights are downloaded. Where that cannot be
had, SqueezeNet (Iandola et al., arXiv:1602.07360) is a small one that does; its layers are written out
here, and the file with its weights (squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5) is given by
its path.
"""

import importlib

import numpy as np

from pykeras import backend as K
from pykeras.layers import Activation, Conv2D, Dropout, Input, MaxPooling2D, concatenate
from pykeras.models import Model
from pykeras.preprocessing.image import img_to_array, load_img

# Mean blue, green and red of the pictures of ImageNet; VGG and SqueezeNet were trained on the difference.
MEAN_BGR = np.array([103.939, 116.779, 123.68])
MODULES = {"VGG16": "vgg16", "VGG19": "vgg19", "InceptionV3": "inception_v3"}


def add_arguments(parser, network):
    """Adds --fast, --network and --weights to a script; `network` is the one it uses by default."""
    parser.add_argument("--fast", action="store_true", help="small pictures, few steps")
    parser.add_argument("--network", default=network, choices=(network, "SqueezeNet"))
    parser.add_argument("--weights", default="imagenet", help="'imagenet' (downloads) or a file")


def build(network, weights, input_tensor=None):
    """Builds a network without its classifier, for pictures of any size.

    Args:
        network: VGG16, VGG19, InceptionV3 or SqueezeNet.
        weights: 'imagenet', a file, or None for random ones.
        input_tensor: a tensor (layer or not) to begin with.
    """
    if network == "SqueezeNet":
        return squeezenet(weights, input_tensor)
    module = importlib.import_module("pykeras.applications." + MODULES[network])
    return getattr(module, network)(include_top=False, weights=weights, input_tensor=input_tensor)


def squeezenet(weights, input_tensor=None):
    """SqueezeNet 1.1 up to its classifier; layers named as in the published file."""
    if weights == "imagenet":
        raise ValueError("SqueezeNet: give the file with the published weights, --weights FILE")
    if input_tensor is None:
        picture = Input(shape=(None, None, 3))
    elif K.is_keras_tensor(input_tensor):
        picture = input_tensor
    else:
        picture = Input(tensor=input_tensor, shape=(None, None, 3))

    def conv(x, name, filters, size, **options):
        x = Conv2D(filters, (size, size), name=name, **options)(x)
        head, _, tail = name.rpartition("/")
        return Activation("relu", name=f"{head}/relu_{tail}" if head else f"relu_{tail}")(x)

    def fire(x, number, squeezed, expanded):
        x = conv(x, f"fire{number}/squeeze1x1", squeezed, 1)
        left = conv(x, f"fire{number}/expand1x1", expanded, 1)
        right = conv(x, f"fire{number}/expand3x3", expanded, 3, padding="same")
        return concatenate([left, right], name=f"fire{number}/concat")

    x = conv(picture, "conv1", 64, 3, strides=(2, 2))
    number = 2
    for pool, stage in (
        ("pool1", [(16, 64), (16, 64)]),
        ("pool3", [(32, 128), (32, 128)]),
        ("pool5", [(48, 192), (48, 192), (64, 256), (64, 256)]),
    ):
        x = MaxPooling2D(pool_size=(3, 3), strides=(2, 2), name=pool)(x)
        for squeezed, expanded in stage:
            x = fire(x, number, squeezed, expanded)
            number += 1
    model = Model(picture, Dropout(0.5, name="drop9")(x), name="squeezenet")
    if weights is not None:
        model.load_weights(weights)
    return model


def read_picture(path, size=None):
    """Reads a picture as float32 (1, rows, columns, 3) with values 0..255; `size` is (rows, columns)."""
    return np.array(img_to_array(load_img(path, target_size=size))[np.newaxis], "float32")


def to_network(pictures):
    """Red, green, blue 0..255 → blue, green, red around zero, as VGG and SqueezeNet want it."""
    return pictures[..., ::-1] - MEAN_BGR


def from_network(pictures):
    """The other way, as uint8."""
    return np.uint8(np.clip(pictures + MEAN_BGR, 0, 255))[..., ::-1]


def write_picture(path, picture):
    """Writes (rows, columns, 3) uint8 to a file."""
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(picture)).save(path)
    print("written:", path)
