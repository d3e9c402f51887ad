// What devices offer over MCP, as they last told. Devices with the same catalog share one row: a fleet has many devices and few models.
//
// Part of SqliteArchive. Thread: store. Each put is one transaction, durable on return. Bound: limits::hub_catalog_bytes each.
#pragma once

#include <string>

#include "hub/store/archive.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

class ArchiveCatalogs {
 public:
  explicit ArchiveCatalogs(sqlite::Database& database) : database_(database) {}
  Status open();

  Status put(DeviceKey device, uint64_t hash, std::string_view json);
  Status each(const Archive::CatalogVisitor& visit);

 private:
  sqlite::Database& database_;
  sqlite::Statement select_device_;
  sqlite::Statement put_catalog_;
  sqlite::Statement put_device_;
  sqlite::Statement drop_unused_;
  sqlite::Statement select_catalogs_;
  sqlite::Statement select_devices_;
};

}  // namespace tideline::hub
