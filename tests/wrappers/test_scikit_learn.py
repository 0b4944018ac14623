"""Models as estimators of today's scikit-learn (chapter 16 of the list of behaviours)."""

import functools
import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted
from wrappers.builders import build_binary, build_classifier, build_regressor

from pykeras.callbacks import History
from pykeras.layers import Dense, Input
from pykeras.models import Model
from pykeras.optimizers import Adam
from pykeras.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor


@pytest.fixture(scope="module")
def iris():
    x, y = load_iris(return_X_y=True)
    return x - x.mean(0), np.array(["setosa", "versicolor", "virginica"])[y]


def classifier(**params):
    return KerasClassifier(build_classifier, **{"epochs": 15, "batch_size": 16, "verbose": 0, **params})


def regressor(**params):
    return KerasRegressor(build_regressor, **{"epochs": 15, "batch_size": 16, "verbose": 0, **params})


# ---- 16.1: what builds the model, what may be said about it


class Builder:
    def __call__(self, units):
        return build_classifier(units)

    def build(self, units):
        return build_classifier(units + 1)


class Own(KerasClassifier):
    def __call__(self, units):
        return build_classifier(units + 2)


@pytest.mark.parametrize(
    ("make", "units"),
    [
        (lambda: KerasClassifier(build_classifier, units=5), 5),
        (lambda: KerasClassifier(Builder(), units=5), 5),
        (lambda: KerasClassifier(Builder().build, units=5), 6),
        (lambda: Own(units=5), 7),
        (lambda: KerasClassifier(functools.partial(build_classifier, lr=0.1), units=5), 5),
    ],
    ids=["function", "object", "method", "subclass", "partial"],
)
def test_16_1_build_fn(make, units, iris):
    estimator = make()
    estimator.fit(*iris, epochs=1, verbose=0)
    assert estimator.model.layers[0].units == units


def test_16_1_nothing_that_builds(iris):
    with pytest.raises(ValueError, match="needs a `build_fn`"):
        KerasClassifier(epochs=1).fit(*iris)


@pytest.mark.parametrize("kind", [KerasClassifier, KerasRegressor])
def test_16_1_legal_parameters(kind):
    legal = {
        "units": 3,
        "epochs": 2,
        "batch_size": 8,
        "verbose": 0,
        "shuffle": False,
        "steps": None,
        "nb_epoch": 2,
    }
    estimator = kind(build_regressor, **legal)
    assert estimator.sk_params == legal
    for bad in ("no_such_thing", "outputs_"):
        with pytest.raises(ValueError, match=f"{bad} is not a legal parameter"):
            kind(build_regressor, **{bad: 1})
        with pytest.raises(ValueError, match=f"{bad} is not a legal parameter"):
            estimator.set_params(**{bad: 1})
    assert estimator.sk_params == legal


def test_16_1_arguments_reach_their_functions(iris):
    estimator = KerasClassifier(build_classifier, units=3, epochs=2, batch_size=50, verbose=0)
    assert estimator.filter_sk_params(build_classifier, {"lr": 1}) == {"units": 3, "lr": 1}
    history = estimator.fit(*iris)
    assert isinstance(history, History)
    assert history.epoch == [0, 1]
    assert history.params["batch_size"] == 50
    history = estimator.fit(*iris, epochs=1, batch_size=30)  # what is said directly wins
    assert history.epoch == [0]
    assert history.params["batch_size"] == 30
    with pytest.warns(UserWarning, match="renamed `epochs`"):
        assert KerasClassifier(build_classifier, nb_epoch=3, verbose=0).fit(*iris).epoch == [0, 1, 2]


# ---- 16.2: parameters and copies


def test_16_2_get_params_gives_copies():
    weights = {0: 1.0, 1: 2.0}
    estimator = KerasClassifier(build_classifier, class_weight=weights, epochs=3)
    params = estimator.get_params()
    assert params == {"class_weight": weights, "epochs": 3, "build_fn": build_classifier}
    assert params["class_weight"] is not weights
    assert estimator.get_params(deep=False) == params


def test_16_2_set_params():
    estimator = classifier()
    assert estimator.set_params(epochs=3, units=4) is estimator
    assert estimator.get_params()["epochs"] == 3
    estimator.set_params(build_fn=build_regressor, outputs=2)
    assert estimator.build_fn is build_regressor
    with pytest.raises(ValueError, match="lr is not"):
        estimator.set_params(build_fn=build_regressor, lr=2)


@pytest.mark.parametrize("make", [classifier, regressor, lambda **k: Own(units=2, **k)])
def test_16_2_clone(make, iris):
    estimator = make(callbacks=[History()], validation_split=0.2)
    copy = clone(estimator)
    assert type(copy) is type(estimator)
    assert copy.build_fn is estimator.build_fn
    assert copy.sk_params.keys() == estimator.sk_params.keys()
    assert copy.sk_params["callbacks"] is not estimator.sk_params["callbacks"]
    assert not hasattr(copy, "model")


def test_16_2_looks_like_an_estimator(iris):
    assert is_classifier(classifier()) and not is_regressor(classifier())
    assert is_regressor(regressor()) and not is_classifier(regressor())
    estimator = classifier(epochs=1)
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    estimator.fit(*iris)
    check_is_fitted(estimator)
    assert repr(KerasRegressor(None, epochs=3)) == "KerasRegressor(build_fn=None, epochs=3)"
    assert issubclass(KerasClassifier, BaseWrapper)


def test_16_2_cross_val_score(iris):
    scores = cross_val_score(classifier(), *iris, cv=StratifiedKFold(3, shuffle=True, random_state=0))
    assert scores.shape == (3,)
    assert scores.mean() > 0.85
    again = cross_val_score(classifier(), *iris, cv=3, scoring="roc_auc_ovr")
    assert again.min() > 0.9


def test_16_2_grid_search(iris):
    search = GridSearchCV(classifier(epochs=8), {"units": [1, 12], "lr": [0.05], "epochs": [1, 15]}, cv=3)
    search.fit(*iris)
    assert search.best_params_ == {"epochs": 15, "lr": 0.05, "units": 12}
    assert search.best_estimator_.model.layers[0].units == 12
    assert set(search.predict(iris[0][:5])) <= set(iris[1])
    assert search.score(*iris) > 0.85


def test_16_2_grid_search_over_what_builds(iris):
    grid = {"build_fn": [build_regressor, functools.partial(build_regressor, 3)]}
    search = GridSearchCV(regressor(epochs=1), grid, cv=2, error_score="raise")
    search.fit(iris[0], iris[0][:, 0])
    assert len(search.cv_results_["params"]) == 2


def test_16_2_in_processes(iris):
    """The estimators travel to the workers and back."""
    scores = cross_val_score(classifier(epochs=3), *iris, cv=3, n_jobs=2)
    assert scores.shape == (3,)


def test_16_2_pipelines_and_committees(iris):
    x, y = iris
    pipe = make_pipeline(StandardScaler(), classifier())
    pipe.fit(x, y, kerasclassifier__epochs=20)
    assert pipe.score(x, y) > 0.9
    assert clone(pipe).get_params()["kerasclassifier__batch_size"] == 16
    votes = VotingClassifier([("a", classifier()), ("b", LogisticRegression(max_iter=500))], voting="soft")
    assert votes.fit(x, y).score(x, y) > 0.9
    assert CalibratedClassifierCV(classifier(epochs=5), cv=2).fit(x, y).predict_proba(x).shape == (150, 3)


def test_16_2_fitted_estimators_can_be_pickled(iris):
    estimator = classifier(epochs=2)
    estimator.fit(*iris)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict_proba(iris[0]), estimator.predict_proba(iris[0]))


# ---- 16.3: classes


def test_16_3_labels_of_any_kind(iris):
    x, names = iris
    estimator = classifier(epochs=25)
    estimator.fit(x, names)
    assert list(estimator.classes_) == ["setosa", "versicolor", "virginica"]
    assert estimator.n_classes_ == 3
    predicted = estimator.predict(x)
    assert predicted.shape == (150,)
    assert predicted.dtype.kind == "U"
    accuracy = estimator.score(x, names)
    assert accuracy > 0.9
    assert (predicted == names).mean() == pytest.approx(accuracy)
    assert estimator.predict_proba(x).shape == (150, 3)
    # a part that lacks a class is scored all the same
    setosa = names == "setosa"
    assert estimator.score(x[setosa], names[setosa]) > 0.9


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_16_3_one_hot_is_made_for_the_loss(iris, loss):
    estimator = classifier(loss=loss)
    estimator.fit(iris[0], np.repeat([10, 20, 30], 50)[:, None])
    assert set(estimator.predict(iris[0])) == {10, 20, 30}
    assert estimator.score(iris[0], np.repeat([10, 20, 30], 50)) > 0.8


def test_16_3_one_hot_labels(iris):
    y = np.eye(3)[np.repeat([0, 1, 2], 50)]
    estimator = classifier()
    estimator.fit(iris[0], y)
    assert list(estimator.classes_) == [0, 1, 2]
    assert estimator.score(iris[0], y) > 0.8


def test_16_3_single_output_unit(iris):
    x, y = iris[0][:100], np.repeat(["no", "yes"], 50)
    estimator = KerasClassifier(build_binary, epochs=10, verbose=0)
    estimator.fit(x, y)
    assert estimator.predict(x).shape == (100, 1)
    assert set(estimator.predict(x).ravel()) == {"no", "yes"}
    proba = estimator.predict_proba(x)
    assert proba.shape == (100, 2)
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-6)
    assert estimator.score(x, y) > 0.9
    assert cross_val_score(estimator, x, y, cv=3, scoring="roc_auc").min() > 0.9
    assert cross_val_predict(estimator, x, y, cv=2).shape[0] == 100


def test_16_3_functional_model(iris):
    def build():
        a = Input((4,))
        model = Model(a, Dense(3, activation="softmax")(a))
        model.compile(Adam(0.1), "categorical_crossentropy", metrics=["accuracy"])
        return model

    estimator = KerasClassifier(build, epochs=10, verbose=0)
    estimator.fit(*iris)
    assert (estimator.predict(iris[0]) == iris[1]).mean() > 0.8
    assert estimator.predict_proba(iris[0]).shape == (150, 3)


def test_16_3_sample_weight():
    x, y = np.zeros((100, 4)), np.repeat([0, 1], 50)  # nothing to go by but the weights
    weight = np.where(y == 1, 1.0, 1e-3)
    estimator = KerasClassifier(build_binary, epochs=30, verbose=0)
    estimator.fit(x, y, sample_weight=weight)
    assert estimator.predict_proba(x)[:, 1].min() > 0.5


def test_16_3_score_needs_the_metric(iris):
    def build():
        model = build_classifier()
        model.compile("sgd", "categorical_crossentropy", metrics=["mse"])
        return model

    estimator = KerasClassifier(build, verbose=0)
    estimator.fit(*iris)
    with pytest.raises(ValueError, match="not configured to compute accuracy"):
        estimator.score(*iris)


def test_16_3_labels_of_a_wrong_shape(iris):
    with pytest.raises(ValueError, match="Invalid shape for y"):
        classifier().fit(iris[0], np.zeros((150, 2, 2)))


# ---- 16.4: numbers


def test_16_4_regressor(iris):
    x, y = iris[0][:, :], iris[0] @ [1.0, -1.0, 0.5, 2.0]
    estimator = regressor(epochs=30)
    estimator.fit(x, y)
    predicted = estimator.predict(x)
    assert predicted.shape == (150,)
    assert estimator.predict(x[:1]).shape == (1,)
    assert estimator.score(x, y) == pytest.approx(-np.mean((predicted - y) ** 2), rel=1e-4)
    folds = KFold(3, shuffle=True, random_state=0)
    assert cross_val_score(regressor(epochs=30), x, y, cv=folds, scoring="r2").mean() > 0.5
    two = regressor(outputs=2)
    two.fit(x, np.stack([y, -y], 1))
    assert two.predict(x).shape == (150, 2)


def test_data_frames(iris):
    pandas = pytest.importorskip("pandas")
    frame, labels = pandas.DataFrame(iris[0]), pandas.Series(iris[1])
    assert cross_val_score(classifier(epochs=5), frame, labels, cv=2).shape == (2,)


def test_scikit_learn_is_not_imported(run_code):
    assert run_code("import sys, pykeras.wrappers.scikit_learn; print('sklearn' in sys.modules)") == "False\n"


def test_16_1_build_fn_that_builds_no_model(iris):
    x, y = iris
    for make in ("build_classifier", build_classifier()):
        with pytest.raises(ValueError, match=r"`build_fn` must be a function, .*a new one for every `fit`"):
            KerasClassifier(make).fit(x, y)
    with pytest.raises(ValueError, match=r"must return a compiled model\. It returned: None"):
        KerasClassifier(lambda: None).fit(x, y)


def test_before_fit(iris):
    x, y = iris
    estimator = classifier()
    calls = [lambda: estimator.predict(x), lambda: estimator.predict_proba(x), lambda: estimator.score(x, y)]
    calls += [lambda: regressor().predict(x), lambda: regressor().score(x, y)]
    for call in calls:
        with pytest.raises(AttributeError, match=r"This Keras.* is not fitted yet: call `fit`"):
            call()


def test_16_3_labels_that_were_not_there_in_training(iris):
    """One between two known labels would be taken for the next one."""
    x, y = iris
    estimator = classifier(epochs=1)
    estimator.fit(x, np.array([10, 20, 30])[np.unique(y, return_inverse=True)[1]])
    with pytest.raises(ValueError, match=r"did not have: \[15, 40\]. Known are \[10, 20, 30\]"):
        estimator.score(x[:3], [15, 20, 40])


def test_rows_as_plain_lists(iris):
    x, y = iris
    estimator = classifier(epochs=1)
    estimator.fit(x.tolist(), y.tolist())
    assert (estimator.predict(x.tolist()) == estimator.predict(x)).all()
    assert np.array_equal(estimator.predict_proba(x[:5].tolist()), estimator.predict_proba(x[:5]))
    assert estimator.score(x.tolist(), y.tolist()) == estimator.score(x, y)
    numbers = regressor(epochs=1)
    targets = x.sum(1)
    numbers.fit(x.tolist(), targets.tolist())
    assert np.array_equal(numbers.predict(x.tolist()), numbers.predict(x))
    assert numbers.score(x.tolist(), targets.tolist()) == numbers.score(x, targets)
