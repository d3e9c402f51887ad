#include "memory.hpp"

#include <gtest/gtest.h>

#include <new>

namespace tideline::platform {
namespace {

TEST(Memory, ARefusedAllocationIsSaidBeforeTheEnd) {
  EXPECT_DEATH(
      {
        end_when_memory_is_refused();
        std::get_new_handler()();
      },
      "out of memory");
}

}  // namespace
}  // namespace tideline::platform
