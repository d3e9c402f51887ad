// The format does not change by accident, and is the same on every machine.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "support/block_check.hpp"
#include "support/block_golden.hpp"

namespace tideline::block {
namespace {

std::string path_of(const support::GoldenBlock& golden) {
  return std::string(TIDELINE_TEST_DATA) + "/golden/block/" + golden.name + ".bin";
}

ByteBuffer read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> chars((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return {chars.begin(), chars.end()};
}

TEST(Golden, InputsEncodeToTheSameBytes) {
  for (const support::GoldenBlock& golden : support::golden_blocks()) {
    SCOPED_TRACE(golden.name);
    const ByteBuffer made = support::encode_or_fail(golden.batch, golden.meta);
    if (std::getenv("TIDELINE_WRITE_GOLDEN") != nullptr) {
      std::ofstream(path_of(golden), std::ios::binary).write(reinterpret_cast<const char*>(made.data()), static_cast<std::streamsize>(made.size()));
    }
    EXPECT_EQ(made, read_file(path_of(golden)));
  }
}

TEST(Golden, FilesDecodeToTheSameReadings) {
  for (const support::GoldenBlock& golden : support::golden_blocks()) {
    SCOPED_TRACE(golden.name);
    const ByteBuffer stored = read_file(path_of(golden));
    const auto view = BlockView::open(stored);
    ASSERT_TRUE(view);
    const auto decoded = support::decode_all(*view);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, support::canonical(golden.batch.readings(), golden.batch.text()));
    EXPECT_EQ(view->meta().stream, golden.meta.stream);
    EXPECT_EQ(view->meta().first_seq, golden.meta.first_seq);
    EXPECT_EQ(view->meta().run_id, golden.meta.run_id);
    EXPECT_EQ(view->meta().boot_id, golden.meta.boot_id);
    EXPECT_EQ(view->meta().mono_first_ns, golden.meta.mono_first_ns);
    EXPECT_EQ(view->meta().mono_last_ns, golden.meta.mono_last_ns);
    EXPECT_EQ(view->meta().utc_offset_ns, golden.meta.utc_offset_ns);
    EXPECT_EQ(view->meta().time_quality, golden.meta.time_quality);
  }
}

TEST(Golden, EveryCodingIsCovered) {
  std::array<bool, 8> seen{};
  for (const support::GoldenBlock& golden : support::golden_blocks()) {
    const ByteBuffer bytes = support::encode_or_fail(golden.batch, golden.meta);
    const auto view = BlockView::open(bytes);
    ASSERT_TRUE(view);
    for (const Column& column : view->columns()) seen[static_cast<size_t>(column.coding.values)] = true;
  }
  for (size_t coding = 0; coding < seen.size(); ++coding) EXPECT_TRUE(seen[coding]) << "coding " << coding;
}

}  // namespace
}  // namespace tideline::block
