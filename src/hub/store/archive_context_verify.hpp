// Reads the context of every device back: whether each register can be, and whether the sums that are kept up are those that counting gives. Pure
// reading; store thread, or a command.
#pragma once

#include <string>
#include <vector>

#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

/// Adds one line for each thing that is wrong, until there are `most`.
Status verify_context(sqlite::Database& database, size_t most, std::vector<std::string>& problems);

}  // namespace tideline::hub
