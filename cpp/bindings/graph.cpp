// Values, ops, constants, placeholders, gradients.
#include <pybind11/pybind11.h>

#include <algorithm>

#include "bindings/convert.h"
#include "graph/autodiff.h"
#include "graph/build.h"
#include "graph/op.h"
#include "graph/rewrite.h"
#include "graph/scan.h"
#include "runtime/device.h"
#include "runtime/function.h"

namespace py = pybind11;

namespace pk {

namespace {

std::vector<Value> values_from(const py::handle& sequence) {
  std::vector<Value> values;
  for (const py::handle h : sequence) values.push_back(h.cast<Value>());
  return values;
}

py::list to_list(const std::vector<Value>& values) {
  py::list list;
  for (const Value& v : values) list.append(v ? py::cast(v) : py::object(py::none()));
  return list;
}

py::dict op_info(const std::string& name) {
  const OpDef& op = get_op(name);
  py::dict d;
  d["name"] = op.name;
  d["min_arity"] = op.min_arity;
  d["max_arity"] = op.max_arity;
  d["outputs"] = op.n_outputs;
  d["differentiable"] = op.vjp != nullptr || op.decompose != nullptr;
  d["no_grad"] = op.no_grad.empty() ? op.grad_error : op.no_grad;
  d["no_kernel"] = op.no_kernel;
  d["alias"] = op.alias;
  d["pointwise"] = op.pointwise >= 0;
  d["random"] = op.random;
  d["effect"] = op.effect;
  d["in_place"] = op.in_place;
  d["attrs"] = attrs_to_python(op.parse(name, {}).map());
  py::dict kernels;
  for (const std::string& device : device_names()) {
    py::list dtypes;
    for (int t = 0; t < kDTypes; ++t)
      if (KernelTable::of(device).find(name, static_cast<DType>(t)))
        dtypes.append(dtype_name(static_cast<DType>(t)));
    kernels[device.c_str()] = dtypes;
  }
  d["kernels"] = kernels;
  return d;
}

}  // namespace

void bind_graph(py::module_& m) {
  py::class_<Value>(m, "Value", "One output of a node of the symbolic graph; immutable.")
      .def_property_readonly("shape", [](const Value& v) { return shape_to_python(v.shape()); })
      .def_property_readonly("dtype", [](const Value& v) { return dtype_name(v.dtype()); })
      .def_property_readonly("op", [](const Value& v) { return v.node->op->name; })
      .def_property_readonly("index", [](const Value& v) { return v.index; })
      .def_property_readonly("id",
                             [](const Value& v) { return v.node->id * 64 + static_cast<uint64_t>(v.index); })
      .def_property_readonly("inputs", [](const Value& v) { return to_list(v.node->inputs); })
      .def_property_readonly("attrs", [](const Value& v) { return attrs_to_python(v.node->attrs.map()); })
      .def_property_readonly("scope", [](const Value& v) { return v.node->scope; })
      .def_property_readonly("constant",
                             [](const Value& v) -> py::object {
                               if (!is_op(v, "constant")) return py::none();
                               py::array a = new_array(v.type());
                               std::memcpy(a.mutable_data(), v.node->constant.data.get(),
                                           static_cast<size_t>(v.type().bytes()));
                               return std::move(a);
                             })
      .def("__repr__", [](const Value& v) {
        return cat("<", v.node->op->name, " ", v.shape(), " ", v.dtype(), v.node->scope.empty() ? "" : " of ",
                   v.node->scope, ">");
      });

  m.def(
      "op",
      [](const std::string& name, const py::list& inputs, const py::dict& attrs, const std::string& scope) {
        const OpDef& def = get_op(name);
        const NodePtr node =
            make_node(def, values_from(inputs), def.parse(name, attrs_from_python(attrs)), scope);
        py::list out;
        for (size_t i = 0; i < node->types.size(); ++i) out.append(Value{node, static_cast<int>(i)});
        return out;
      },
      py::arg("name"), py::arg("inputs"), py::arg("attrs") = py::dict(), py::arg("scope") = "");
  m.def("constant", [](const py::object& x) { return make_constant(to_tensor(x)); });
  m.def(
      "placeholder",
      [](const py::object& shape, const std::string& dtype, const std::string& name) {
        return make_placeholder({dtype_from_name(dtype), shape_from_python(shape)}, name);
      },
      py::arg("shape"), py::arg("dtype"), py::arg("name") = "");
  m.def("learning_phase", &learning_phase);
  m.def(
      "gradients",
      [](const py::list& ys, const py::list& xs, const py::object& grad_ys) {
        std::vector<Value> gs;
        if (!grad_ys.is_none())
          for (const py::handle h : grad_ys) gs.push_back(h.is_none() ? Value{} : h.cast<Value>());
        return to_list(gradients(values_from(ys), values_from(xs), gs));
      },
      py::arg("ys"), py::arg("xs"), py::arg("grad_ys") = py::none());
  m.def(
      "scan",
      [](const py::list& carry, const py::list& x, const py::list& next, const py::list& emit,
         const py::list& initial, const py::list& sequences, bool reverse, const std::string& scope) {
        const std::vector<Value> states = values_from(carry), elements = values_from(x);
        uint64_t since = ~uint64_t{0};  // what is older than the step's own inputs was not made by the step
        for (const auto* list : {&states, &elements})
          for (const Value& v : *list) since = std::min(since, v.node->id);
        return to_list(make_scan(states, elements, values_from(next), values_from(emit), values_from(initial),
                                 values_from(sequences), reverse, scope, since));
      },
      py::arg("carry"), py::arg("x"), py::arg("next"), py::arg("emit"), py::arg("initial"),
      py::arg("sequences"), py::arg("reverse") = false, py::arg("scope") = "");
  m.def("op_names", [] {
    py::list names;
    for (const std::string& n : op_names()) names.append(n);
    return names;
  });
  m.def("op_info", &op_info);
  m.def("passes", [] {
    py::dict on;
    for (const std::string& n : pass_names()) on[n.c_str()] = pass_enabled(n);
    return on;
  });
  m.def("set_pass", [](const std::string& name, bool on) {
    set_pass(name, on);
    new_epoch();
  });
}

}  // namespace pk
