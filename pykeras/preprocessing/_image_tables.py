"""Batches of the image files that a pandas table names.

Source: the public behaviour of `flow_from_dataframe` in Keras 2.2.4 and 2.3.1.
"""

from __future__ import annotations

import numbers
import os
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ..backend.common import floatx
from ._image_folders import ENDINGS, FileIterator, check_class_mode

_BY_CLASS = ("categorical", "binary", "sparse")


class DataFrameIterator(FileIterator):
    """Batches of the image files that a pandas table names.

    Prints how many images it found.

    Args:
        dataframe: the table: one row per image.
        directory: the folder to which the files' names are relative; None for full paths.
        image_data_generator: the `ImageDataGenerator` that transforms the images; None leaves them.
        x_col: the column with the files' names.
        y_col: the column, or list of columns, with the targets.
        weight_col: a column with sample weights, or None.
        target_size: (height, width) in pixels to which all images are brought.
        color_mode: 'rgb', 'rgba' or 'grayscale'.
        classes: the classes in their order; rows of others are left out. None for all there are, sorted.
            Strings, or numbers where the column has these.
        class_mode: the targets: 'categorical' (one-hot, or several ones where the column has lists), 'binary'
            (0.0 or 1.0), 'sparse' (int32), 'raw' (the values of the columns; 'other' in Keras 2.2.4),
            'multi_output' (a list: the values of each column), 'input' (the images) or None.
        batch_size, shuffle, seed: see `Iterator`.
        data_format: where the channels go.
        save_to_dir, save_prefix, save_format: where pictures are saved, if anywhere, and their names' form.
        subset: 'training' or 'validation': the rows after the generator's `validation_split`, or up to it.
        interpolation: how images are brought to their size, see `load_img`.
        dtype: dtype of the images.
        validate_filenames: leave out rows whose file is missing or no image by its name, with a warning;
            False takes them as they are, and reading a batch fails.
        has_ext: False for names without their ending: the first one that exists is taken.

    Raises:
        TypeError: names, classes or weights have the wrong type.
        ValueError: a setting or column is unknown, or no row has any of the classes.

    Example:
        >>> table = pandas.DataFrame({"filename": ["a.png", "b.png"], "class": ["cat", "dog"]})
        >>> iterator = DataFrameIterator(table, "pets", ImageDataGenerator())
        Found 2 validated image filenames belonging to 2 classes.
    """

    allowed_class_modes = (*_BY_CLASS, "input", "multi_output", "raw", "other", None)

    def __init__(
        self,
        dataframe: Any,
        directory: str | None = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: npt.DTypeLike | None = "float32",
        validate_filenames: bool = True,
        has_ext: bool = True,
    ) -> None:
        self.set_processing_attrs(
            image_data_generator,
            target_size,
            color_mode,
            data_format,
            save_to_dir,
            save_prefix,
            save_format,
            subset,
            interpolation,
        )
        self.class_mode = check_class_mode(class_mode, self.allowed_class_modes)
        self.dtype = np.dtype(dtype or floatx())
        self.directory = os.fspath(directory or "")
        targets = [] if class_mode in ("input", None) else y_col if isinstance(y_col, list) else [y_col]
        self._check_columns(dataframe, x_col, targets, weight_col)
        if class_mode in _BY_CLASS:
            if len(targets) != 1:
                raise TypeError(
                    f'If class_mode="{class_mode}", y_col must be one column. Received {y_col!r}. Take '
                    'class_mode="raw" for the numbers of several columns.'
                )
            y_col = targets[0]
        if class_mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f'If class_mode="multi_output", y_col must be a list. Received {y_col!r}.')
        if classes and class_mode not in _BY_CLASS:
            warnings.warn(f'`classes` will be ignored given the class_mode="{class_mode}"', stacklevel=3)

        rows = dataframe
        if not has_ext:
            rows = rows.assign(**{x_col: [self._with_ending(name) for name in rows[x_col]]})
        if validate_filenames:
            rows = self._existing(rows, x_col)
        if class_mode in _BY_CLASS:
            rows = self._select_classes(rows, y_col, list(classes) if classes else None)
        if self.split:
            first, last = (int(bound * len(rows)) for bound in self.split)
            rows = rows.iloc[first:last]
        self.filenames = rows[x_col].tolist()
        self.samples = len(self.filenames)
        self._sample_weight = rows[weight_col].to_numpy() if weight_col else None
        checked = "validated" if validate_filenames else "non-validated"
        found = f"Found {self.samples} {checked} image filenames"
        if class_mode in _BY_CLASS:
            self.num_classes = len(self.class_indices)
            self.classes = self.get_classes(rows, y_col)
            print(f"{found} belonging to {self.num_classes} classes.")
        else:
            if class_mode == "multi_output":
                self._values: Any = [np.array(rows[column].tolist()) for column in y_col]
            elif class_mode in ("raw", "other"):
                self._values = rows[y_col].to_numpy()
                if class_mode == "other" and self._values.dtype == object:
                    raise TypeError(f"y_col column/s must be numeric datatypes. Received: {y_col!r}")
            print(f"{found}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def set_processing_attrs(self, *args: Any, **kwargs: Any) -> None:
        """The later name of `common_init`."""
        self.common_init(*args, **kwargs)

    @property
    def labels(self) -> Any:
        """The class, or the values of the target columns, of each image."""
        return self._values if self.class_mode in ("multi_output", "raw", "other") else self.classes

    @property
    def sample_weight(self) -> Any:
        """The weight of each image, or None."""
        return self._sample_weight

    def _targets(self, batch_x: np.ndarray, index_array: np.ndarray) -> Any:
        if self.class_mode == "multi_output":
            return [values[index_array] for values in self._values]
        if self.class_mode in ("raw", "other"):
            return self._values[index_array]
        return super()._targets(batch_x, index_array)

    def get_classes(self, df: Any, y_col: str) -> Any:
        """Returns the number of each row's class: an int32 array, or a list where rows have several."""
        numbers = [
            [self.class_indices[name] for name in label]
            if isinstance(label, list | tuple)
            else self.class_indices[label]
            for label in df[y_col].tolist()
        ]
        several = any(isinstance(number, list) for number in numbers)
        return numbers if several else np.array(numbers, dtype="int32")

    def _check_columns(self, table: Any, x_col: str, targets: list[Any], weight_col: Any) -> None:
        for column in [x_col, *targets, *([weight_col] if weight_col else [])]:
            if column not in table.columns:
                names = ", ".join(map(str, table.columns))
                raise ValueError(f"The dataframe has no column {column!r}. Its columns: {names}")
        for name in table[x_col]:
            if not isinstance(name, str):
                raise TypeError(f"All values in column x_col={x_col} must be strings. Found: {name!r}")
        if weight_col and table[weight_col].dtype.kind not in "iufb":
            raise TypeError(f"Column weight_col={weight_col} must be numeric.")

    def _with_ending(self, name: str) -> str:
        """The name of the image file that is called so but for its ending; without one, the name itself."""
        for ending in ENDINGS:
            for candidate in (f"{name}.{ending}", f"{name}.{ending.upper()}"):
                if os.path.isfile(os.path.join(self.directory, candidate)):
                    return candidate
        return name

    def _existing(self, table: Any, x_col: str) -> Any:
        """The rows whose file exists and has the name of an image."""
        endings = tuple("." + ending for ending in ENDINGS)
        keep = np.array(
            [
                name.lower().endswith(endings) and os.path.isfile(os.path.join(self.directory, name))
                for name in table[x_col]
            ],
            dtype=bool,
        )
        if not keep.all():
            lost = [name for name, kept in zip(table[x_col].tolist(), keep) if not kept]
            warnings.warn(
                f'Found {len(lost)} invalid image filename(s) in x_col="{x_col}", such as {lost[0]!r}. These '
                "filename(s) will be ignored. Names are relative to "
                f"{self.directory or 'the current folder'!r}.",
                stacklevel=4,
            )
        return table[keep]

    def _select_classes(self, table: Any, y_col: str, classes: list[Any] | None) -> Any:
        """Numbers the classes, and returns the rows that have one of them."""
        labels = [label if isinstance(label, list | tuple) else [label] for label in table[y_col].tolist()]
        several = any(isinstance(label, list | tuple) for label in table[y_col].tolist())
        kinds = set()
        for label in (label for row in labels for label in row):
            kinds.add(isinstance(label, str))
            if not (isinstance(label, str | numbers.Real | np.bool_) and label == label) or len(kinds) > 1:
                raise TypeError(
                    f'If class_mode="{self.class_mode}", y_col="{y_col}" column values must be strings, or '
                    "all be numbers"
                    + (", or lists of these" if self.class_mode == "categorical" else "")
                    + f". Found: {label!r}"
                )
        if several and self.class_mode != "categorical":
            raise TypeError(f'If class_mode="{self.class_mode}", each row must have one class, no list.')
        there = {label for row in labels for label in row}
        names = sorted(there) if classes is None else list(dict.fromkeys(classes))
        if unknown := [name for name in names if name not in there]:
            message = (
                f'No row has class {unknown[0]!r} in y_col="{y_col}". Classes there: '
                f"{', '.join(map(str, sorted(there))) or 'none'}"
            )
            if len(unknown) == len(names):
                raise ValueError(message)
            warnings.warn(message, stacklevel=4)
        if self.class_mode == "binary" and len(names) != 2:
            raise ValueError(f'If class_mode="binary" there must be 2 classes. Found {len(names)} classes.')
        self.class_indices = {name: number for number, name in enumerate(names)}
        known = [[label for label in row if label in self.class_indices] for row in labels]
        table = table[np.array([bool(row) for row in known], dtype=bool)]
        kept = [row for row in known if row]
        return table.assign(**{y_col: kept if several else [row[0] for row in kept]})
