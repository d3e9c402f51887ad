// What the storage below Tideline can do at most, for the same bytes: store_limit sqlite|log DIRECTORY BYTES-PER-COMMIT COMMITS
// sqlite: one blob row a commit (WAL, synchronous FULL, page 1024, checkpoint each 250 pages). log: a file written before, overwritten with one
// fdatasync a commit. Prints commits a second.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

void report(Clock::time_point begin, long commits) {
  std::printf("%.3f\n", static_cast<double>(commits) / std::chrono::duration<double>(Clock::now() - begin).count());
}

int with_sqlite(const std::string& directory, const std::vector<unsigned char>& bytes, long commits) {
  sqlite3* db = nullptr;
  if (sqlite3_open((directory + "/limit.db").c_str(), &db) != SQLITE_OK) return 1;
  const char* setup = "PRAGMA page_size=1024; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=250; PRAGMA secure_delete=OFF;"
                      "CREATE TABLE blocks(id INTEGER PRIMARY KEY, bytes BLOB);";
  if (sqlite3_exec(db, setup, nullptr, nullptr, nullptr) != SQLITE_OK) return 1;
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO blocks(bytes) VALUES(?)", -1, &insert, nullptr);
  const auto begin = Clock::now();
  for (long i = 0; i < commits; ++i) {
    sqlite3_bind_blob(insert, 1, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) return 1;
    sqlite3_reset(insert);
  }
  report(begin, commits);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return 0;
}

int with_log(const std::string& directory, const std::vector<unsigned char>& bytes, long commits) {
  const int file = open((directory + "/limit.log").c_str(), O_RDWR | O_CREAT, 0600);
  if (file < 0) return 1;
  for (long i = 0; i < commits; ++i) {
    if (write(file, bytes.data(), bytes.size()) < 0) return 1;
  }
  fsync(file);
  const auto begin = Clock::now();
  off_t at = 0;
  for (long i = 0; i < commits; ++i, at += static_cast<off_t>(bytes.size())) {
    if (pwrite(file, bytes.data(), bytes.size(), at) < 0 || fdatasync(file) != 0) return 1;
  }
  report(begin, commits);
  close(file);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fprintf(stderr, "usage: store_limit sqlite|log DIRECTORY BYTES-PER-COMMIT COMMITS\n"), 2;
  std::vector<unsigned char> bytes(static_cast<size_t>(std::atol(argv[3])));
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 131);
  return std::strcmp(argv[1], "sqlite") == 0 ? with_sqlite(argv[2], bytes, std::atol(argv[4])) : with_log(argv[2], bytes, std::atol(argv[4]));
}
