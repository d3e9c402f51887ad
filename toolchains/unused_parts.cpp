// Parts of the distribution's archives that the programs never call, but that would be linked because something reachable names them.
// A definition here keeps the archive's own out of the program: a third of a megabyte on a board. It is compiled only where archives
// are linked (TIDELINE_LINK); should a later release name one of them elsewhere, the link fails with "multiple definition".
#include <cstddef>
#include <cstdlib>

struct sqlite3;

extern "C" {

// SQLite starts these on every connection: full-text search (two of them) and spatial indexes. No table of ours uses either.
int sqlite3Fts3Init(sqlite3*) { return 0; }
int sqlite3Fts5Init(sqlite3*) { return 0; }
int sqlite3RtreeInit(sqlite3*) { return 0; }

// Certificates for mbedTLS's test of itself, which nobody starts.
extern const char mbedtls_test_ca_crt[1] = "";
extern const size_t mbedtls_test_ca_crt_len = 1;
extern const char mbedtls_test_cli_crt[1] = "";
extern const size_t mbedtls_test_cli_crt_len = 1;
}

namespace __gnu_cxx {
/// What the C++ runtime does at a last resort; its own also spells out the type of an exception, with a parser for type names as big
/// as all of our transport. Nothing here throws but the allocator, and that speaks for itself (platform/memory.hpp).
void __verbose_terminate_handler();
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx
