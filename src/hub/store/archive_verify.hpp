// Reads the whole archive and says whether the promise holds: produced = held + declared lost. Thread: the caller's.
#pragma once

#include "hub/store/archive.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

Result<VerifyReport> verify_archive(sqlite::Database& database, const Archive::Progress& progress);

}  // namespace tideline::hub
