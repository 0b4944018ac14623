// Between Python objects and the engine's types.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "core/tensor.h"
#include "core/types.h"
#include "graph/attrs.h"

namespace pk {

pybind11::tuple shape_to_python(const Shape& shape);     // None for unknown dimensions
Shape shape_from_python(const pybind11::handle& shape);  // a sequence of int or None
pybind11::dtype numpy_dtype(DType dtype);
DType dtype_of(const pybind11::array& array);  // ValueError for one that has no counterpart
Shape shape_of(const pybind11::array& array);
pybind11::array new_array(const TensorType& type);         // uninitialised
HostTensor to_tensor(const pybind11::handle& array_like);  // copies; floats of other widths are refused

AttrMap attrs_from_python(const pybind11::dict& dict);
pybind11::dict attrs_to_python(const AttrMap& map);

// `x` as a C-contiguous array of this dtype, converted where needed (float64 to float32 and so on).
pybind11::array contiguous(const pybind11::handle& x, DType dtype);

}  // namespace pk
