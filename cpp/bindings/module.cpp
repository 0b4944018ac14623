// The Python module `_core`: graph building, variables, functions, settings.
#include <pybind11/pybind11.h>

#include "core/error.h"

namespace py = pybind11;

namespace pk {
void bind_graph(py::module_& m);
void bind_runtime(py::module_& m);
}  // namespace pk

PYBIND11_MODULE(_core, m) {
  m.doc() = "The engine of pykeras: graph, kernels, plans. Used through pykeras.backend only.";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const pk::ValueError& e) {
      PyErr_SetString(PyExc_ValueError, e.what());
    } catch (const pk::RuntimeError& e) {
      PyErr_SetString(PyExc_RuntimeError, e.what());
    }
  });
  pk::bind_graph(m);
  pk::bind_runtime(m);
}
