// Variables, functions, devices and threads.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>

#include "bindings/convert.h"
#include "graph/op.h"
#include "runtime/device.h"
#include "runtime/function.h"
#include "runtime/kept.h"

namespace py = pybind11;

namespace pk {

namespace {

// A variable and the node by which graphs refer to it.
struct PyVariable {
  std::shared_ptr<VariableState> state;
  Value value;
};

int phase_of(const py::handle& x) {
  const py::object truth = py::module_::import("numpy").attr("all")(x);
  return PyObject_IsTrue(truth.ptr()) ? 1 : 0;
}

// The arrays of a call, converted and held, and the plan for their shapes.
struct Call {
  std::vector<py::array> held;
  std::vector<Shape> shapes;
  std::vector<const void*> in;
  std::vector<void*> out;
  py::list results;
  std::shared_ptr<Plan> plan;

  Call(Function& f, const py::list& arrays, int phase) {
    const auto& inputs = f.inputs();
    const size_t n = inputs.size();
    if (arrays.size() != n)
      throw ValueError(cat("function '", f.name(), "' takes ", n, " arrays, got ", arrays.size()));
    held.reserve(n);
    shapes.reserve(n);
    in.reserve(n);
    for (size_t i = 0; i < n; ++i) {
      const py::handle x = PyList_GET_ITEM(arrays.ptr(), static_cast<py::ssize_t>(i));
      if (is_op(inputs[i], "learning_phase")) {
        phase = phase_of(x);
        shapes.emplace_back();
        in.push_back(nullptr);
        continue;
      }
      held.push_back(contiguous(x, inputs[i].dtype()));
      shapes.push_back(shape_of(held.back()));
      in.push_back(held.back().data());
    }
    {
      py::gil_scoped_release release;
      plan = f.plan(shapes, phase);
    }
    const auto& types = plan->results();
    out.reserve(types.size());
    results = py::list(types.size());
    for (size_t i = 0; i < types.size(); ++i) {
      py::array a = new_array(types[i]);
      out.push_back(a.mutable_data());
      results[i] = std::move(a);
    }
  }
};

py::list call(Function& f, const py::list& arrays, int phase) {
  Call c(f, arrays, phase);
  const uint64_t step = f.next_step();
  {
    py::gil_scoped_release release;
    c.plan->run(c.in, c.out, step);
  }
  return std::move(c.results);
}

py::list profile(Function& f, const py::list& arrays, int phase, int repeats) {
  Call c(f, arrays, phase);
  const auto names = c.plan->step_names();
  std::vector<std::vector<double>> times(names.size());
  for (int r = 0; r < repeats; ++r) {
    const uint64_t step = f.next_step();
    std::vector<double> seconds;
    {
      py::gil_scoped_release release;
      seconds = c.plan->profile(c.in, c.out, step);
    }
    for (size_t s = 0; s < seconds.size(); ++s) times[s].push_back(seconds[s]);
  }
  py::list rows;
  for (size_t s = 0; s < names.size(); ++s) {
    auto& t = times[s];
    std::nth_element(t.begin(), t.begin() + static_cast<long>(t.size() / 2), t.end());
    rows.append(py::make_tuple(names[s].first, names[s].second, t.empty() ? 0.0 : t[t.size() / 2]));
  }
  return rows;
}

std::string describe(Function& f, const py::list& arrays, int phase) {
  std::vector<Shape> shapes;
  for (size_t i = 0; i < f.inputs().size() && i < arrays.size(); ++i) {
    if (is_op(f.inputs()[i], "learning_phase"))
      shapes.emplace_back();
    else
      shapes.push_back(shape_of(py::array::ensure(arrays[i], 0)));
  }
  if (shapes.size() != f.inputs().size())
    throw ValueError(
        cat("function '", f.name(), "' takes ", f.inputs().size(), " arrays, got ", arrays.size()));
  return f.plan(shapes, phase)->describe();
}

}  // namespace

void bind_runtime(py::module_& m) {
  py::class_<PyVariable>(m, "Variable", "A named array that functions read and update.")
      .def(py::init([](const py::object& shape, const std::string& dtype, const std::string& name) {
             const TensorType type{dtype_from_name(dtype), shape_from_python(shape)};
             if (!type.shape.known())
               throw ValueError(cat("variable '", name, "' needs a fully known shape, got ", type.shape));
             auto state = std::make_shared<VariableState>(type, name);
             return PyVariable{state, make_variable(type, name, state)};
           }),
           py::arg("shape"), py::arg("dtype"), py::arg("name") = "")
      .def_property_readonly("value", [](const PyVariable& v) { return v.value; })
      .def_property_readonly("shape",
                             [](const PyVariable& v) { return shape_to_python(v.state->type().shape); })
      .def_property_readonly("dtype", [](const PyVariable& v) { return dtype_name(v.state->type().dtype); })
      .def_property_readonly("name", [](const PyVariable& v) { return v.state->name(); })
      .def_property_readonly("version", [](const PyVariable& v) { return v.state->version(); })
      .def("get",
           [](const PyVariable& v) {
             py::array a = new_array(v.state->type());
             void* to = a.mutable_data();
             {
               const py::gil_scoped_release release;
               v.state->get(to);
             }
             return a;
           })
      .def("set",
           [](const PyVariable& v, const py::object& x) {
             const py::array a = contiguous(x, v.state->type().dtype);
             if (shape_of(a) != v.state->type().shape)
               throw ValueError(cat("variable '", v.state->name(), "' has shape ", v.state->type().shape,
                                    ", got an array of shape ", shape_of(a)));
             v.state->set(a.data());
           })
      .def("set_initializer",
           [](const PyVariable& v, const Value& initial) { v.state->set_initializer(initial); });

  py::class_<Function, std::shared_ptr<Function>>(m, "Function", "A callable sub-graph with updates.")
      .def(py::init([](const py::list& inputs, const py::list& outputs, const py::list& updates,
                       const std::string& name) {
             std::vector<Value> ins, outs;
             std::vector<Update> ups;
             for (const py::handle h : inputs) ins.push_back(h.cast<Value>());
             for (const py::handle h : outputs) outs.push_back(h.cast<Value>());
             for (const py::handle h : updates) {
               const auto pair = py::reinterpret_borrow<py::sequence>(h);
               ups.emplace_back(pair[0].cast<PyVariable&>().state, pair[1].cast<Value>());
             }
             return std::make_shared<Function>(std::move(ins), std::move(outs), ups, name);
           }),
           py::arg("inputs"), py::arg("outputs"), py::arg("updates") = py::list(), py::arg("name") = "")
      .def("__call__", &call, py::arg("arrays"), py::arg("phase") = 0)
      .def("describe", &describe, py::arg("arrays"), py::arg("phase") = 0)
      .def("profile", &profile, py::arg("arrays"), py::arg("phase") = 0, py::arg("repeats") = 5,
           "Runs the function (updates included) and returns (op, scope, median seconds) per step.")
      .def_property("step", &Function::step, &Function::set_step)
      .def_property_readonly("name", &Function::name);

  m.def("kept_bytes", &shared_bytes,
        "Bytes of folded and packed weights that plans hold, each counted once.");
  m.def("devices", [] {
    py::list names;
    for (const std::string& n : device_names()) names.append(n);
    return names;
  });
  m.def("get_device", [] { return current_device()->name(); });
  m.def("set_device", [](const std::string& name) {
    set_current_device(name);
    new_epoch();
  });
  m.def("isa", [] { return device_switches().instruction_set(); });
  m.def("isas", [] {
    py::list names;
    for (const std::string& n : device_switches().instruction_sets()) names.append(n);
    return names;
  });
  m.def("set_isa", [](const std::string& name) {
    if (!device_switches().set_instruction_set(name))
      throw ValueError(cat("instruction set '", name, "' is unknown or not supported by this machine"));
    new_epoch();
  });
  m.def(
      "fma_peak",
      [](int threads) {
        py::gil_scoped_release release;
        return device_switches().fma_peak(threads);
      },
      py::arg("threads") = 1);
  m.def("get_num_threads", [] { return thread_pool()->size(); });
  m.def("set_num_threads", [](int n) {
    set_num_threads(n);
    new_epoch();
  });
}

}  // namespace pk
