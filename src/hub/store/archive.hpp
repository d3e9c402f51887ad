// The hub's store of truth: devices, series, blocks, gaps, cursors, anchors, and what the MCP side keeps (records.hpp). An interface, because PostgreSQL implements it
// later; archive_sqlite.cpp is the embedded one. One suite (tests/unit/hub/archive_test.cpp) runs against each.
//
// Threads: called only on the store thread (StoreThread owns it), except open(). Blocks stay encoded. A block and the cursor
// that covers it are one transaction (law 3). Values are bound, SQL is portable. After a failed transaction the archive stays
// failed (io) until it is opened again. Held in memory: the device directory and a bounded cache of what is held.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "hub/store/context_archive.hpp"
#include "hub/store/records.hpp"
#include "model/anchor.hpp"
#include "model/query.hpp"
#include "model/series.hpp"
#include "model/stream_state.hpp"

namespace tideline::hub {

struct DeviceRecord {
  DeviceKey key = 0;
  std::string id;                       ///< what people write: [a-z0-9._-], at most limits::device_id_bytes
  std::vector<std::pair<std::string, std::string>> labels;
  std::string certificate_fingerprint;  ///< SHA-256, hexadecimal, of the certificate in force; "" before enrolment
  int64_t enrolled_ns = 0;              ///< UTC
  bool revoked = false;
  int64_t last_seen_ns = 0;             ///< UTC of the last contact; written at disconnect and with blocks
  std::string agent_version;
};

/// A run that a device claimed, or of which blocks are held: where it says that the run begins (0: it never said), and the highest
/// number held of it (0: none), per stream.
struct HeldRun {
  uint64_t id = 0;
  model::Seq first[model::stream_count] = {};
  model::Seq highest[model::stream_count] = {};
};

/// What the hub knows of one device's store, read once when it says hello. Series ids are numbered within (epoch, incarnation):
/// a store that rolled back may use an id again for something else, and raises its incarnation first (src/link/FORMAT.md).
struct DeviceState {
  std::string epoch;                                       ///< the one it speaks of now
  uint32_t incarnation = 0;                                ///< highest one of which anything was stored
  model::SeriesId series_known = 0;                        ///< definitions held of that incarnation: ids 0 to series_known - 1
  uint64_t series_hash = 0;                                ///< link::series_hash() over them in order; 0 when there are none
  model::SeqRanges held[model::stream_count];              ///< blocks and gaps, i.e. what need not be sent
  std::vector<HeldRun> runs;                               ///< newest limits::held_runs
  uint64_t catalog_hash = 0;                               ///< of the MCP catalog kept of the device; the fleet fills it in
};

/// One loop turn's work for one device. Applied whole or not at all. Blocks and series belong to `incarnation`: blocks name
/// series by the ids of their own incarnation. Gaps never overlap what is held or what stands in the same batch.
struct IntakeBatch {
  DeviceKey device = 0;
  std::string epoch;
  uint32_t incarnation = 0;
  model::SeriesId first_series = 0;
  std::vector<model::Series> series;       ///< definitions first_series, first_series + 1, ...
  std::vector<model::StoredBlock> blocks;
  std::vector<model::Gap> gaps;
  std::vector<model::Anchor> anchors;
  /// Joined to what is known: the last `first` that is not 0 counts, and the greatest `highest` (of gaps: blocks name their run
  /// themselves).
  std::vector<HeldRun> runs;
};

struct BlockVerdict {
  model::Stream stream = model::Stream::normal;
  model::SeqRange range;
  bool accepted = false;     ///< held durably once apply() returned (also when it was held before)
  bool duplicate = false;
  const char* reason = "";   ///< of a refusal: static text
};

/// Newest value of one series.
struct LatestValue {
  std::string device;
  model::Series series;
  model::Point point;
  model::TimeQuality time_quality = model::TimeQuality::none;
};

struct Token {
  std::string hash;          ///< SHA-256 of the secret, hexadecimal
  std::string device;
  int64_t expires_ns = 0;    ///< UTC
  int64_t used_ns = 0;       ///< 0 until used
};

struct VerifyReport {
  uint64_t devices = 0;
  uint64_t blocks = 0;
  uint64_t readings = 0;
  uint64_t duplicates = 0;          ///< readings held twice: must be 0
  uint64_t unreadable_blocks = 0;
  uint64_t missing = 0;             ///< readings neither held nor declared below the highest number: must be 0
  uint64_t declared_lost = 0;
  std::vector<std::string> problems;  ///< first 20, one line each
};

/// A question under way, answered in slices so that commits come between (law 7). It must not outlive its archive.
class ArchiveQuery {
 public:
  virtual ~ArchiveQuery() = default;
  /// Reads at most `blocks` blocks; true when the answer is complete. Looks at limits::query_blocks in all; what is beyond is
  /// left out, oldest first per device, and the answer says `truncated`.
  virtual Result<bool> advance(size_t blocks) = 0;
  /// Once, after advance() gave true.
  virtual model::QueryAnswer take() = 0;
};

/// A device was seen.
struct DeviceTouch {
  DeviceKey device = 0;
  int64_t last_seen_ns = 0;
  std::string agent_version;
};

class Archive {
 public:
  virtual ~Archive() = default;
  /// A transaction failed: everything but reading is refused until the archive is opened again.
  virtual bool has_failed() const = 0;

  virtual Result<std::vector<DeviceRecord>> devices() = 0;
  virtual Result<DeviceRecord> device(const std::string& id) = 0;   ///< not_found
  virtual Result<DeviceRecord> put_device(const DeviceRecord& record) = 0;  ///< by id; returns it with its key
  virtual Status touch_device(DeviceKey device, int64_t last_seen_ns, const std::string& agent_version) = 0;
  /// All of them in one transaction: a fleet that comes back at once costs one sync. Unknown devices are passed over.
  virtual Status touch_devices(const std::vector<DeviceTouch>& touches) = 0;

  virtual Status put_token(const Token& token) = 0;
  virtual Result<std::vector<Token>> tokens() = 0;
  /// Marks the token used if it is for `device`, unused and not expired, in one transaction. Errors: denied (no such token or
  /// other device), exists (used already), timeout (expired).
  virtual Result<Token> use_token(const std::string& hash, const std::string& device, int64_t now_ns) = 0;

  /// State for the epoch the device names; a new epoch starts empty, the old one's data stays.
  virtual Result<DeviceState> load_state(DeviceKey device, const std::string& epoch) = 0;
  /// Verdicts in the order of blocks. An error means the transaction was rolled back: nothing was applied, nothing may be
  /// acknowledged. All batches of one call are one transaction. What one device sent wrong is a refusal in its verdicts, never
  /// an error: it must not hold up the others.
  virtual Result<std::vector<std::vector<BlockVerdict>>> apply(const std::vector<IntakeBatch>& batches) = 0;

  /// The whole answer in one go: start_query() and advance() to the end.
  Result<model::QueryAnswer> query(const model::Query& query);
  virtual Result<std::unique_ptr<ArchiveQuery>> start_query(const model::Query& query) = 0;
  /// One value per device and series, the newest by corrected time. Errors: limit (more than limits::query_rows of them).
  Result<std::vector<LatestValue>> latest(const model::DeviceSelector& devices, const model::SeriesSelector& series);
  /// The same in slices: appends those of at most `most_devices` matching devices after the id `after`, which moves on; true
  /// when there are no more.
  virtual Result<bool> latest_some(const model::DeviceSelector& devices, const model::SeriesSelector& series, std::string& after, size_t most_devices,
                                   std::vector<LatestValue>& values) = 0;
  virtual Result<std::vector<std::pair<std::string, model::Gap>>> gaps(const model::DeviceSelector& devices) = 0;

  /// Adds the key or replaces the one with its id. Errors: limit (limits::hub_keys).
  virtual Status put_key(const ApiKey& key) = 0;
  virtual Result<std::vector<ApiKey>> keys() = 0;
  /// In one transaction; ids and chain are given here. The oldest rows beyond limits::audit_rows go, some with each call.
  virtual Status add_audit(const std::vector<AuditRow>& rows) = 0;
  /// Newest first, at most limits::audit_answer_rows.
  virtual Result<std::vector<AuditRow>> audit(const AuditFilter& filter) = 0;
  /// Adds the task or replaces the one with its id. Errors: full (limits::hub_tasks_*), limit (limits::hub_task_bytes).
  virtual Status put_task(const TaskRecord& task) = 0;
  virtual Result<TaskRecord> task(const std::string& id) = 0;  ///< not_found
  /// Queued or sent, oldest first.
  virtual Result<std::vector<TaskRecord>> open_tasks() = 0;
  /// Newest first.
  virtual Result<std::vector<TaskRecord>> tasks_of(const std::string& principal, size_t limit) = 0;
  /// Closed tasks whose time is over, at most limits::hub_tasks_slice; how many went. Call again while it is a whole slice.
  virtual Result<size_t> drop_tasks(int64_t now_ns) = 0;
  /// Errors: not_found (device), limit (limits::hub_catalog_bytes).
  virtual Status put_catalog(DeviceKey device, uint64_t hash, std::string_view json) = 0;
  using CatalogVisitor = std::function<void(const std::vector<DeviceKey>& devices, uint64_t hash, std::string_view json)>;
  /// Each different catalog once, with the devices that have it.
  virtual Status each_catalog(const CatalogVisitor& visit) = 0;

  virtual ContextArchive& context() = 0;

  using Progress = std::function<void(uint64_t done, uint64_t total)>;
  /// Reads every block. Cost: about 10 ns a reading.
  virtual Result<VerifyReport> verify(const Progress& progress) = 0;
  /// A consistent copy while the hub runs. Errors: exists, io.
  virtual Status backup(const std::string& path, const Progress& progress) = 0;

  virtual Result<std::string> setting(const std::string& key) = 0;  ///< not_found
  virtual Status set_setting(const std::string& key, const std::string& value) = 0;
};

enum class ArchiveMode : uint8_t {
  write,  ///< the hub: creates, migrates, takes the lock `<path>.lock`
  read,   ///< verify, query and backup from a second process, also while a hub runs: takes no lock, changes nothing
};

/// Opens or creates the embedded archive (SQLite, WAL, synchronous=FULL) at `path`. Errors: busy (another hub has it; native is
/// its pid if known), io, denied, corrupt, unsupported (made by a newer version; or a restore was interrupted), not_found (read).
Result<std::unique_ptr<Archive>> open_sqlite_archive(const std::string& path, ArchiveMode mode, Log& log);

/// Puts the backup at `backup_path` in the place of the archive at `path`. The backup stays; what was there before is kept as
/// `<path>.replaced`. A crash in between leaves either the old archive, or none and a clear error from open: then run it again.
/// Errors: busy (a hub runs), corrupt (the backup is damaged), unsupported (not an archive, or of a newer version), io.
Status restore_sqlite_archive(const std::string& backup_path, const std::string& path);

}  // namespace tideline::hub
