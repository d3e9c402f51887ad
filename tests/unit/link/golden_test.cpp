// The bytes of every frame, kept in tests/golden/link: a change of the format shows here and needs a new version.
// TIDELINE_WRITE_GOLDEN=1 writes them anew.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "unit/link/samples.hpp"

namespace tideline::link {
namespace {

std::string path_of(const std::string& name) { return std::string(TIDELINE_TEST_DATA) + "/golden/link/" + name + ".hex"; }

std::string read_golden(const std::string& name) {
  std::ifstream file(path_of(name));
  std::string hex;
  for (std::string word; file >> word;) hex += word;
  return hex;
}

void write_golden(const std::string& name, const std::string& hex) {
  std::ofstream file(path_of(name));
  for (size_t i = 0; i < hex.size(); i += 64) file << hex.substr(i, 64) << "\n";
}

TEST(LinkGolden, every_frame_is_the_bytes_that_are_kept) {
  for (const auto& [name, payload] : samples::payloads()) {
    const std::string hex = to_hex(payload.data(), payload.size());
    if (std::getenv("TIDELINE_WRITE_GOLDEN") != nullptr) write_golden(name, hex);
    EXPECT_EQ(read_golden(name), hex) << name;
  }
}

TEST(LinkGolden, the_format_document_shows_a_frame_as_it_is) {
  std::ifstream file(std::string(TIDELINE_TEST_DATA) + "/../src/link/FORMAT.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const char* shown : {"nack", "block", "ping"}) {
    std::string spaced;
    const std::string hex = read_golden(shown);
    for (size_t i = 0; i < hex.size(); i += 2) spaced += (i == 0 ? "" : " ") + hex.substr(i, 2);
    EXPECT_NE(text.str().find(spaced), std::string::npos) << shown << ": " << spaced;
  }
}

}  // namespace
}  // namespace tideline::link
