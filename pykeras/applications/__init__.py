"""Published architectures for pictures, with or without their published weights; loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

_MODELS = {
    "DenseNet121": "densenet",
    "DenseNet169": "densenet",
    "DenseNet201": "densenet",
    "InceptionResNetV2": "inception_resnet_v2",
    "InceptionV3": "inception_v3",
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2",
    "NASNetLarge": "nasnet",
    "NASNetMobile": "nasnet",
    "ResNet50": "resnet50",
    "VGG16": "vgg16",
    "VGG19": "vgg19",
    "Xception": "xception",
}

_SUBMODULES = sorted({*_MODELS.values(), "imagenet_utils", "mobilenetv2"})

__all__ = [*_MODELS, *_SUBMODULES]


def __getattr__(name: str) -> Any:
    if name in _MODELS:
        value = getattr(importlib.import_module("." + _MODELS[name], __name__), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
