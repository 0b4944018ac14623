"""Models as estimators of scikit-learn, which this module itself does not need.

Source: the public behaviour of keras/wrappers/scikit_learn.py (2.1.6, 2.2.4), and what scikit-learn asks
    estimators for from 1.4 on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.sequential import Sequential
from ..engine.topology import Layer
from ..utils.generic_utils import has_arg, to_list
from ..utils.np_utils import to_categorical

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]


class BaseWrapper:
    """What `KerasClassifier` and `KerasRegressor` share.

    Args:
        build_fn: function, or object with `__call__`, that returns a compiled model; None stands for the
            `__call__` of a subclass.
        **sk_params: arguments of `build_fn` and of the model's `fit`, `predict` and `evaluate`. A search may
            vary any of them. Arguments given to `fit`, `predict` or `score` directly win.

    Raises:
        ValueError: neither `build_fn` nor a method of the model has such an argument.
    """

    _estimator_type: str

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def __repr__(self) -> str:
        words = ", ".join(f"{name}={value!r}" for name, value in self._params().items())
        return f"{type(self).__name__}({words})"

    # ---- parameters

    def _params(self) -> dict[str, Any]:
        return {"build_fn": self.build_fn, **self.sk_params}

    def _builder(self) -> Callable[..., Any]:
        """Returns what makes the model."""
        if self.build_fn is not None:
            if not callable(self.build_fn) or isinstance(self.build_fn, Layer):
                raise ValueError(
                    "`build_fn` must be a function, or an object with `__call__`, that returns a compiled "
                    f"model; a new one for every `fit`. Received: {self.build_fn!r}"
                )
            return self.build_fn
        if not callable(self):
            raise ValueError(
                f"{type(self).__name__} needs a `build_fn` that returns a compiled model, or must be a "
                "subclass with a `__call__` that does."
            )
        return self

    def check_params(self, params: Any) -> None:
        """Checks the names of parameters.

        Args:
            params: dict or list of names.

        Raises:
            ValueError: nothing takes an argument of that name.
        """
        legal: list[Any] = [
            Sequential.fit,
            Sequential.predict,
            Sequential.predict_classes,
            Sequential.evaluate,
        ]
        legal += [fn for fn in (self.build_fn, self) if callable(fn)][:1]
        for name in params:
            if name != "nb_epoch" and not any(has_arg(fn, name) for fn in legal):
                raise ValueError(
                    f"{name} is not a legal parameter: neither `build_fn` nor the `fit`, `predict` or "
                    "`evaluate` of a model takes it."
                )

    def get_params(self, **params: Any) -> dict[str, Any]:
        """Returns copies of all parameters, and `build_fn`.

        Args:
            **params: ignored; scikit-learn passes `deep`.
        """
        return {**copy.deepcopy(self.sk_params), "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        """Sets parameters.

        Args:
            **params: as for the constructor.

        Returns:
            this object.

        Raises:
            ValueError: nothing takes an argument of that name.
        """
        old = self.build_fn
        self.build_fn = params.pop("build_fn", old)
        try:
            self.check_params(params)
        except ValueError:
            self.build_fn = old
            raise
        self.sk_params.update(params)
        return self

    def filter_sk_params(
        self, fn: Callable[..., Any], override: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Picks the parameters that a function takes.

        Args:
            fn: the function.
            override: values that win.

        Returns:
            dict of keyword arguments.
        """
        taken = {name: value for name, value in self.sk_params.items() if has_arg(fn, name)}
        return {**taken, **(override or {})}

    # ---- what scikit-learn asks for

    def __sklearn_clone__(self) -> Any:
        # Its own way to copy compares parameters by identity, but `get_params` copies lists and dicts.
        return type(self)(**self.get_params())

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def __sklearn_tags__(self) -> Any:
        from sklearn import utils  # only scikit-learn calls this

        kind = self._estimator_type
        return utils.Tags(
            estimator_type=kind,
            target_tags=utils.TargetTags(required=True, multi_output=True),
            transformer_tags=None,
            classifier_tags=utils.ClassifierTags() if kind == "classifier" else None,
            regressor_tags=utils.RegressorTags() if kind == "regressor" else None,
        )

    # ---- work

    def _fitted(self) -> Any:
        """Returns the trained model."""
        if not hasattr(self, "model"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet: call `fit` first.")
        return self.model

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Makes a new model and trains it.

        Args:
            x: training data, (samples, …).
            y: targets, (samples,) or (samples, outputs).
            **kwargs: arguments of the model's `fit`.

        Returns:
            its `History`.
        """
        make = self._builder()
        model = make(**self.filter_sk_params(make))
        if not hasattr(model, "fit"):
            raise ValueError(f"`build_fn` must return a compiled model. It returned: {model!r}")
        self.model = model
        x, y = _arrays(x), self._targets(y)
        options = self.filter_sk_params(Sequential.fit, kwargs)
        if "nb_epoch" in self.sk_params and "nb_epoch" not in options:
            options["nb_epoch"] = self.sk_params["nb_epoch"]
        return self.model.fit(x, y, **options)

    def _targets(self, y: Any) -> Any:
        """One-hot targets where the loss wants them, else what was given as an array."""
        y = np.asarray(y)
        loss = self.model.loss
        name = getattr(loss, "__name__", loss)
        if isinstance(name, str) and name == "categorical_crossentropy" and not _is_one_hot(y):
            return to_categorical(y, getattr(self, "n_classes_", None))
        return y


def _arrays(x: Any) -> Any:
    """Rows as plain lists, which cross-validation makes of a list, as an array; anything else as it is."""
    return np.asarray(x) if isinstance(x, list) and x and not hasattr(x[0], "shape") else x


def _is_one_hot(y: np.ndarray) -> bool:
    return y.ndim == 2 and y.shape[1] > 1


class KerasClassifier(BaseWrapper):
    """A model that tells classes apart, as an estimator of scikit-learn.

    Args:
        build_fn: what returns the compiled model.
        **sk_params: its arguments, and those of the model's methods.

    Attributes:
        classes_: the labels, sorted, after `fit`.
        n_classes_: their number.
        model: the trained model.

    Example:
        >>> def build(units=8):
        ...     model = Sequential([Dense(units, input_shape=(4,)), Dense(3, activation='softmax')])
        ...     model.compile('adam', 'categorical_crossentropy', metrics=['accuracy'])
        ...     return model
        >>> search = GridSearchCV(KerasClassifier(build, epochs=5), {'units': [8, 16]})  # doctest: +SKIP
    """

    _estimator_type = "classifier"

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Makes a new model and trains it.

        Args:
            x: training data, (samples, …).
            y: labels of any kind, (samples,) or (samples, 1); or one-hot, (samples, classes).
            sample_weight: weight per sample.
            **kwargs: arguments of the model's `fit`.

        Returns:
            its `History`.

        Raises:
            ValueError: labels of another shape.
        """
        y = np.asarray(y)
        if _is_one_hot(y):
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim in (1, 2):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(
                f"Invalid shape for y: {y.shape}. Labels are (samples,) or one-hot (samples, classes)."
            )
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Returns the most likely label of each sample.

        Args:
            x: data, (samples, …).
            **kwargs: arguments of the model's `predict_classes`.

        Returns:
            (samples,) labels; (samples, 1) if the model has a single output unit.
        """
        options = self.filter_sk_params(Sequential.predict_classes, kwargs)
        model, x = self._fitted(), _arrays(x)
        if hasattr(model, "predict_classes"):
            return self.classes_[model.predict_classes(x, **options)]
        proba = model.predict(x, **options)  # a functional model has no classes of its own
        return self.classes_[proba.argmax(axis=-1) if proba.shape[-1] > 1 else (proba > 0.5).astype("int32")]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Returns the probability of each class.

        Args:
            x: data, (samples, …).
            **kwargs: arguments of the model's `predict_proba`.

        Returns:
            (samples, classes); two columns if the model has a single output unit.
        """
        options = self.filter_sk_params(Sequential.predict_classes, kwargs)
        model = self._fitted()
        predict = getattr(model, "predict_proba", model.predict)
        proba = predict(_arrays(x), **options)
        return np.hstack([1 - proba, proba]) if proba.shape[1] == 1 else proba

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Returns the accuracy.

        Args:
            x: data, (samples, …).
            y: labels, as for `fit`.
            **kwargs: arguments of the model's `evaluate`.

        Raises:
            ValueError: the model was not compiled with the metric, or there are labels that it never saw.
            AttributeError: `fit` was not called.
        """
        model, y = self._fitted(), np.asarray(y)
        if not _is_one_hot(y):
            unknown = np.setdiff1d(y, self.classes_)
            if unknown.size:
                raise ValueError(
                    f"`y` holds labels that the training data did not have: {unknown.tolist()}. Known are "
                    f"{self.classes_.tolist()}"
                )
            y = np.searchsorted(self.classes_, y)
        options = self.filter_sk_params(Sequential.evaluate, kwargs)
        values = to_list(model.evaluate(_arrays(x), self._targets(y), **options))
        for name, value in zip(model.metrics_names, values):
            if name == "acc":
                return value
        raise ValueError(
            "The model is not configured to compute accuracy. You should pass `metrics=['accuracy']` to the "
            "`model.compile()` method."
        )


class KerasRegressor(BaseWrapper):
    """A model that predicts numbers, as an estimator of scikit-learn.

    Args:
        build_fn: what returns the compiled model.
        **sk_params: its arguments, and those of the model's methods.

    Attributes:
        model: the trained model.
    """

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Returns the predictions.

        Args:
            x: data, (samples, …).
            **kwargs: arguments of the model's `predict`.

        Returns:
            (samples,), or (samples, outputs) if there are several.
        """
        values = self._fitted().predict(_arrays(x), **self.filter_sk_params(Sequential.predict, kwargs))
        return values[..., 0] if values.ndim > 1 and values.shape[-1] == 1 else values

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Returns minus the loss, so that more is better.

        Args:
            x: data, (samples, …).
            y: targets.
            **kwargs: arguments of the model's `evaluate`.
        """
        options = self.filter_sk_params(Sequential.evaluate, kwargs)
        return -to_list(self._fitted().evaluate(_arrays(x), np.asarray(y), **options))[0]
