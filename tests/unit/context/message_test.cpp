// The bytes of every message are kept in tests/golden/context: a change of the format shows here. TIDELINE_WRITE_GOLDEN=1 writes them anew.
#include "context/message.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/random.hpp"
#include "base/text.hpp"
#include "context/limits.hpp"
#include "wrap/msgpack/writer.hpp"

namespace tideline::context {
namespace {

StateMessage state() { return {sync_version, {{{0x1a0c4506c170000, 0x1a0c4506c320000}}, 0xfedcba9876543210, 3}, 0xca7b}; }
RegistersMessage registers() {
  return {{{"pump/7/setpoint", Side::hub, {0x1a0c4506c320000, 0x1a0c4506c170000, false, 1'790'000'060'000, "ops (context_set)", "{\"bar\":2.50}"}},
           {"mode", Side::hub, {0x1a0c4506c320001, 0, true, 0, "", ""}}}};
}

std::vector<std::pair<std::string, ByteBuffer>> messages() {
  std::vector<std::pair<std::string, ByteBuffer>> all;
  const auto add = [&](const char* name, const auto& message) { encode(message, all.emplace_back(name, ByteBuffer{}).second); };
  add("state", state());
  add("registers", registers());
  add("ack", AckMessage{{{0x1a0c4506c170000, 0x1a0c4506c320001}}});
  add("failed", FailedMessage{"full: the disk is full"});
  add("resync", ResyncMessage{});
  add("declarations", DeclarationsMessage{R"([{"path":"mode","rule":"hub_wins"}])"});
  return all;
}

TEST(ContextMessage, every_message_is_the_bytes_that_are_kept) {
  for (const auto& [name, bytes] : messages()) {
    const std::string file = std::string(TIDELINE_TEST_DATA) + "/golden/context/" + name + ".hex";
    const std::string hex = to_hex(bytes.data(), bytes.size());
    if (std::getenv("TIDELINE_WRITE_GOLDEN") != nullptr) {
      std::ofstream out(file);
      for (size_t i = 0; i < hex.size(); i += 64) out << hex.substr(i, 64) << "\n";
    }
    std::ifstream in(file);
    std::string kept;
    for (std::string word; in >> word;) kept += word;
    EXPECT_EQ(kept, hex) << name;
  }
}

TEST(ContextMessage, every_message_reads_back) {
  const auto all = messages();
  EXPECT_EQ(decode(all[0].second)->state, state());
  EXPECT_EQ(decode(all[1].second)->registers, registers());
  EXPECT_EQ(decode(all[2].second)->ack.tops[Side::hub], 0x1a0c4506c320001u);
  EXPECT_EQ(decode(all[3].second)->failed.why, "full: the disk is full");
  EXPECT_EQ(decode(all[4].second)->type, MessageType::resync);
  EXPECT_EQ(decode(all[5].second)->declarations.json, R"([{"path":"mode","rule":"hub_wins"}])");
}

TEST(ContextMessage, every_truncation_and_every_byte_too_many_is_refused) {
  for (auto& [name, bytes] : messages()) {
    for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode(Bytes(bytes).first(size))) << name << " cut at " << size;
    bytes.push_back(0xc0);
    EXPECT_FALSE(decode(bytes)) << name;
  }
}

TEST(ContextMessage, flipped_bits_are_refused_or_mean_something_sound) {
  Random random(7);
  for (const auto& [name, bytes] : messages()) {
    for (int i = 0; i < 2'000; ++i) {
      ByteBuffer damaged = bytes;
      damaged[static_cast<size_t>(random.below(damaged.size()))] ^= static_cast<uint8_t>(1u << random.below(8));
      const auto message = decode(damaged);
      if (!message || message->type != MessageType::registers) continue;
      for (const Register& reg : message->registers.registers) EXPECT_LT(reg.write.stamp, stamp_end);
    }
  }
}

TEST(ContextMessage, hostile_counts_and_sizes_take_no_memory) {
  for (const ByteBuffer& bytes : std::vector<ByteBuffer>{{0xdd, 0xff, 0xff, 0xff, 0xff, 2},
                                                         {0x92, 2, 0xdd, 0xff, 0xff, 0xff, 0xff},
                                                         {0x92, 2, 0xdc, 0x04, 0x01},
                                                         {0x92, 6, 0xdb, 0xff, 0xff, 0xff, 0xff},
                                                         {0x92, 2, 0x91, 0xdc, 0xff, 0xff},
                                                         {0x90},
                                                         {0x91, 0},
                                                         {0x91, 2}}) {
    EXPECT_FALSE(decode(bytes));
  }
}

bool is_taken(const Register& reg) {
  ByteBuffer bytes;
  encode(RegistersMessage{{reg}}, bytes);
  return decode(bytes).has_value();
}

TEST(ContextMessage, registers_that_cannot_be_are_refused) {
  const Register good{"a", Side::hub, {5, 0, false, 0, "", "1"}};
  EXPECT_TRUE(is_taken(good));
  const auto with = [&](auto&& change) {
    Register one = good;
    change(one);
    return one;
  };
  EXPECT_FALSE(is_taken(with([](Register& r) { r.path = "a//b"; })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.path = "reported/a"; }))) << "of the hub";
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.stamp = 0; })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.stamp = stamp_end; })));
  EXPECT_TRUE(is_taken(with([](Register& r) { r.write.stamp = stamp_end - 1; })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.seen = stamp_end; })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.expires_ms = -1; })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.expires_ms = INT64_MAX; }))) << "beyond what a date can say";
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.value = " 1"; })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.value = ""; })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.is_deleted = true; }))) << "with a value";
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.author = std::string(129, 'a'); })));
  EXPECT_FALSE(is_taken(with([](Register& r) { r.write.author = "\xff"; })));
}

TEST(ContextMessage, tops_that_no_clock_can_reach_are_refused) {
  for (const Stamp top : {stamp_end, UINT64_MAX}) {
    ByteBuffer ack, greeting;
    encode(AckMessage{{{0, top}}}, ack);
    StateMessage wrong = state();
    wrong.state.tops[Side::device] = top;
    encode(wrong, greeting);
    EXPECT_FALSE(decode(ack));
    EXPECT_FALSE(decode(greeting));
  }
}

TEST(ContextMessage, fields_and_types_of_newer_versions_are_skipped) {
  ByteBuffer ack;
  msgpack::Writer(ack).array(4).uint(3).uint(7).uint(8).array(2).text("new").nil();
  ASSERT_TRUE(decode(ack));
  EXPECT_EQ(decode(ack)->ack.tops[Side::hub], 8u);
  ByteBuffer other;
  msgpack::Writer(other).array(2).uint(77).text("what");
  ASSERT_TRUE(decode(other));
  EXPECT_EQ(static_cast<int>(decode(other)->type), 77);
  ByteBuffer reg;
  msgpack::Writer w(reg);
  w.array(2).uint(2).array(1).array(9).text("a").uint(1).uint(5).uint(0).boolean(false).integer(0).text("").text("1").text("new");
  ASSERT_TRUE(decode(reg));
  EXPECT_EQ(decode(reg)->registers.registers[0].write.value, "1");
}

TEST(ContextMessage, a_page_of_the_largest_registers_fits_a_message) {
  Book book;
  const std::string path(limits::path_bytes - 1, 'p');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(book.put({path + std::to_string(i), Side::hub, {stamp_end - 9 + static_cast<Stamp>(i), stamp_end - 1, false, 1'790'000'000'000, std::string(limits::author_bytes, 'a'),
                                                              "\"" + std::string(limits::value_bytes - 2, 'v') + "\""}}));
  }
  ByteBuffer bytes;
  encode(RegistersMessage{book.page(Side::hub, 0, limits::message_bytes / 2).registers}, bytes);
  EXPECT_LE(bytes.size(), limits::message_bytes);
  EXPECT_TRUE(decode(bytes));
}

TEST(ContextMessage, the_reason_of_a_failure_is_cut_between_characters) {
  ByteBuffer bytes;
  encode(FailedMessage{std::string(511, 'x') + "\u00e4"}, bytes);
  ASSERT_TRUE(decode(bytes));
  EXPECT_EQ(decode(bytes)->failed.why, std::string(511, 'x'));
}

}  // namespace
}  // namespace tideline::context
