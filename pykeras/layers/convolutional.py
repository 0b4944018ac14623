"""Convolutions, and the layers that pad, crop and enlarge (the old import path of all of them)."""

from ..legacy._atrous import AtrousConvolution1D, AtrousConvolution2D
from ..utils.namespaces import held_by, public_names
from ._conv import Conv1D, Conv2D, Conv3D
from ._conv_depthwise import DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from ._conv_transpose import Conv2DTranspose, Conv3DTranspose
from ._resize import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)

# Keras 1 names
AtrousConv1D = AtrousConvolution1D
AtrousConv2D = AtrousConvolution2D
Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
Convolution2DTranspose = Conv2DTranspose
Deconvolution2D = Deconv2D = Conv2DTranspose
Deconvolution3D = Deconv3D = Conv3DTranspose

__all__ = [
    "AtrousConv1D",
    "AtrousConv2D",
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Deconv2D",
    "Deconv3D",
    "Deconvolution2D",
    "Deconvolution3D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
