#include "hub/store/archive_catalogs.hpp"

#include <vector>

#include "base/limits.hpp"
#include "hub/store/archive_sql.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {

Status ArchiveCatalogs::open() {
  return prepare_all(
      database_,
      {
          // index: primary keys
          {select_device_, "SELECT digest FROM device_catalog WHERE device = ?"},
          {put_catalog_, "INSERT INTO catalog(digest, hash, content) VALUES(?, ?, ?) ON CONFLICT(digest) DO NOTHING"},
          {put_device_, "INSERT INTO device_catalog(device, digest) VALUES(?, ?) ON CONFLICT(device) DO UPDATE SET digest = excluded.digest"},
          // index: primary key, and device_catalog_digest
          {drop_unused_, "DELETE FROM catalog WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM device_catalog WHERE digest = ?1)"},
          // whole table, once per start
          {select_catalogs_, "SELECT digest, hash, content FROM catalog ORDER BY digest"},
          // index: device_catalog_digest
          {select_devices_, "SELECT device FROM device_catalog WHERE digest = ? ORDER BY device"},
      });
}

Status ArchiveCatalogs::put(DeviceKey device, uint64_t hash, std::string_view json) {
  if (json.size() > limits::hub_catalog_bytes) return Error{ErrorCode::limit, 0, "a catalog of more than 1 MiB"};
  const std::string digest = tls::sha256_hex(as_bytes(json));
  std::string before;
  {
    select_device_.bind(1, device);
    Rows rows(select_device_);
    ASSIGN_OR_RETURN(const bool row, rows.next());
    if (row) before = select_device_.text(0);
  }
  if (before == digest) return {};
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
  RETURN_IF_ERROR(put_catalog_.bind(1, digest).bind(2, to_stored(hash)).bind(3, json).run());
  RETURN_IF_ERROR(put_device_.bind(1, device).bind(2, digest).run());
  if (!before.empty()) RETURN_IF_ERROR(drop_unused_.bind(1, before).run());
  return transaction.commit();
}

Status ArchiveCatalogs::each(const Archive::CatalogVisitor& visit) {
  Rows catalogs(select_catalogs_);
  std::vector<DeviceKey> devices;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, catalogs.next());
    if (!more) return {};
    devices.clear();
    select_devices_.bind(1, select_catalogs_.text(0));
    Rows rows(select_devices_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool another, rows.next());
      if (!another) break;
      devices.push_back(select_devices_.integer(0));
    }
    if (!devices.empty()) visit(devices, from_stored(select_catalogs_.integer(1)), select_catalogs_.text(2));
  }
}

}  // namespace tideline::hub
