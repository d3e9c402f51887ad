// What most calls need of a tool's inputSchema, read once when the tool is registered: which arguments there are and of which scalar kinds.
// It only ever says "surely fits"; what it cannot tell, check_arguments() does, with its texts.
//
// Part of a Tool. Pure values; holds no reference to the schema. Bounds: 64 arguments, more make it say nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mcp/json_slice.hpp"

namespace tideline::mcp {

class SchemaDigest {
 public:
  /// Says nothing.
  SchemaDigest() = default;
  explicit SchemaDigest(Slice schema);
  /// Whether check_arguments() would find nothing. False: it has to be asked. Absent arguments count as an empty object.
  bool surely_fits(Slice arguments) const;

 private:
  struct Argument {
    std::string name;
    unsigned kinds = 0;  ///< the scalar kinds it takes and how long a string may be, as the .cpp packs them; none when there is more to check
  };
  std::vector<Argument> arguments_;
  uint64_t required_ = 0;  ///< bit n: arguments_[n] must be there
  bool is_usable_ = false;
};

}  // namespace tideline::mcp
