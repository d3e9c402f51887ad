#include "base/bytes.hpp"

#include <bit>

static_assert(std::endian::native == std::endian::little, "formats are stored by plain load and store");
