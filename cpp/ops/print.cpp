// Printing while a graph runs.
#include "ops/rules.h"

namespace pk {
namespace {

// Hands its input on, and writes message and elements to the error stream each time it is computed.
const OpBuilder print_op = op<PrintAttrs>("print")
                               .arity(1)
                               .infer(like_input)
                               .in_place()
                               .effect()
                               .vjp([](const VjpContext& c) -> Values { return {c.g()}; });

}  // namespace
}  // namespace pk
