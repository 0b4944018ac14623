#include "bindings/convert.h"

namespace py = pybind11;

namespace pk {

py::tuple shape_to_python(const Shape& shape) {
  py::tuple t(static_cast<size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i)
    t[static_cast<size_t>(i)] =
        shape[i] == kUnknown ? py::object(py::none()) : py::object(py::int_(shape[i]));
  return t;
}

Shape shape_from_python(const py::handle& shape) {
  Shape s;
  for (const py::handle d : py::reinterpret_borrow<py::sequence>(shape)) {
    if (d.is_none()) {
      s.push_back(kUnknown);
      continue;
    }
    const int64_t n = py::int_(py::reinterpret_borrow<py::object>(d)).cast<int64_t>();
    if (n < 0) throw ValueError(cat("a dimension must be None or at least 0, got ", n));
    s.push_back(n);
  }
  return s;
}

py::dtype numpy_dtype(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return py::dtype::of<float>();
    case DType::f64:
      return py::dtype::of<double>();
    case DType::i32:
      return py::dtype::of<int32_t>();
    case DType::i64:
      return py::dtype::of<int64_t>();
    case DType::u8:
      return py::dtype::of<uint8_t>();
    case DType::boolean:
      return py::dtype::of<bool>();
  }
  throw RuntimeError("unknown dtype");
}

DType dtype_of(const py::array& array) {
  const char kind = array.dtype().kind();
  const auto size = array.dtype().itemsize();
  const char order = array.dtype().byteorder();
  if (order != '>') {
    if (kind == 'f' && size == 4) return DType::f32;
    if (kind == 'f' && size == 8) return DType::f64;
    if (kind == 'i' && size == 4) return DType::i32;
    if (kind == 'i' && size == 8) return DType::i64;
    if (kind == 'u' && size == 1) return DType::u8;
    if (kind == 'b') return DType::boolean;
  }
  throw ValueError(cat("arrays of dtype ", py::str(array.dtype()).cast<std::string>(),
                       " are not supported: convert to float32, float64, int32, int64, uint8 or bool"));
}

Shape shape_of(const py::array& array) { return Shape(array.shape(), array.shape() + array.ndim()); }

py::array new_array(const TensorType& type) {
  return py::array(numpy_dtype(type.dtype), std::vector<py::ssize_t>(type.shape.begin(), type.shape.end()));
}

py::array contiguous(const py::handle& x, DType dtype) {
  py::array array = py::array::ensure(x, 0);
  if (!array) {
    PyErr_Clear();
    throw ValueError("an input is not an array and cannot be made one");
  }
  const py::dtype want = numpy_dtype(dtype);
  if (array.dtype().num() == want.num() && (array.flags() & py::array::c_style)) return array;
  // NumPy does the conversion, with its rules; text and objects are errors.
  py::object converted =
      py::module_::import("numpy").attr("ascontiguousarray")(array, py::arg("dtype") = want);
  // ascontiguousarray makes rank 0 into rank 1.
  if (array.ndim() == 0) converted = converted.attr("reshape")(py::tuple(0));
  return py::reinterpret_borrow<py::array>(converted);
}

HostTensor to_tensor(const py::handle& array_like) {
  py::array array = py::array::ensure(array_like, 0);
  if (!array) {
    PyErr_Clear();
    throw ValueError("this is not an array and cannot be made one");
  }
  const DType dtype = dtype_of(array);
  array = contiguous(array, dtype);
  return HostTensor({dtype, shape_of(array)}, array.data());
}

namespace {

AttrValue attr_from_python(const std::string& name, const py::handle& h) {
  if (py::isinstance<py::bool_>(h)) return h.cast<bool>();
  if (py::isinstance<py::int_>(h)) return h.cast<int64_t>();
  if (py::isinstance<py::float_>(h)) return h.cast<double>();
  if (py::isinstance<py::str>(h)) return h.cast<std::string>();
  if (py::isinstance<py::list>(h) || py::isinstance<py::tuple>(h)) {
    std::vector<int64_t> ints;
    for (const py::handle x : h)
      ints.push_back(py::int_(py::reinterpret_borrow<py::object>(x)).cast<int64_t>());
    return ints;
  }
  // NumPy scalars.
  if (PyIndex_Check(h.ptr())) return py::int_(py::reinterpret_borrow<py::object>(h)).cast<int64_t>();
  if (PyNumber_Check(h.ptr())) return py::float_(py::reinterpret_borrow<py::object>(h)).cast<double>();
  throw ValueError(cat("attribute '", name, "' has an unsupported type"));
}

}  // namespace

AttrMap attrs_from_python(const py::dict& dict) {
  AttrMap map;
  for (const auto& [key, value] : dict) {
    const std::string name = py::str(key).cast<std::string>();
    map[name] = attr_from_python(name, value);
  }
  return map;
}

py::dict attrs_to_python(const AttrMap& map) {
  py::dict dict;
  for (const auto& [name, value] : map)
    std::visit(
        [&, key = name.c_str()](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<T, std::vector<int64_t>> || std::is_same_v<T, std::vector<double>>) {
            py::list list;
            for (const auto x : v) list.append(x);
            dict[key] = list;
          } else {
            dict[key] = v;
          }
        },
        value);
  return dict;
}

}  // namespace pk
