#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "unit/link/samples.hpp"
#include "wrap/msgpack/reader.hpp"
#include "wrap/msgpack/writer.hpp"

namespace tideline::link {
namespace {

template <class Frame>
Frame through(const Frame& frame) {
  ByteBuffer payload;
  encode(frame, payload);
  const auto message = decode(payload);
  EXPECT_TRUE(message.has_value()) << (message ? "" : message.error().context);
  if (!message || !std::holds_alternative<Frame>(*message)) {
    ADD_FAILURE() << "another frame came out";
    return {};
  }
  return std::get<Frame>(*message);
}

template <class Frame>
bool is_refused(const Frame& frame) {
  ByteBuffer payload;
  encode(frame, payload);
  return !decode(payload).has_value();
}

TEST(LinkCodec, every_frame_comes_out_as_it_went_in) {
  EXPECT_EQ(through(samples::hello()), samples::hello());
  EXPECT_EQ(through(samples::welcome()), samples::welcome());
  const SeriesFrame series{2, {samples::series()}};
  EXPECT_EQ(through(series), series);
  const GapFrame gaps{{samples::gap()}};
  EXPECT_EQ(through(gaps), gaps);
  const Ack ack{model::Stream::bulk, {{1, 130}, {141, 150}}, 4096};
  EXPECT_EQ(through(ack), ack);
  const Nack nack{model::Stream::normal, {121, 130}, true, "why"};
  EXPECT_EQ(through(nack), nack);
  EXPECT_EQ(through(Credit{65536}), Credit{65536});
  EXPECT_EQ(through(AnchorFrame{samples::anchor()}), AnchorFrame{samples::anchor()});
  EXPECT_EQ(through(Ping{3, seconds(45)}), (Ping{3, seconds(45)}));
  EXPECT_EQ(through(Pong{9}), Pong{9});
  const Bye bye{ByeCode::duplicate_device, "two of you", minutes(2)};
  EXPECT_EQ(through(bye), bye);
  const Enroll enroll{"token", "pem", "pump-7", "0.1.0"};
  EXPECT_EQ(through(enroll), enroll);
  EXPECT_EQ(through(Enrolled{"a", "b"}), (Enrolled{"a", "b"}));
}

TEST(LinkCodec, a_block_comes_out_as_a_view_of_the_same_bytes) {
  const ByteBuffer block(limits::block_bytes, 0xab);
  ByteBuffer payload;
  encode(BlockFrame{Lane::live, model::Stream::critical, {5, 8}, block}, payload);
  ASSERT_LE(payload.size(), limits::frame_bytes);
  EXPECT_LE(payload.size(), block.size() + block_envelope_bytes);
  const auto message = decode(payload);
  ASSERT_TRUE(message.has_value());
  const auto& frame = std::get<BlockFrame>(*message);
  EXPECT_EQ(frame.range, (model::SeqRange{5, 8}));
  EXPECT_EQ(ByteBuffer(frame.block.begin(), frame.block.end()), block);
  EXPECT_GE(frame.block.data(), payload.data());
}

/// The payload with `extra` more elements in the outermost array.
ByteBuffer with_more_fields(const ByteBuffer& payload, size_t extra) {
  ByteBuffer longer = payload;
  EXPECT_EQ(longer[0] & 0xf0, 0x90);
  EXPECT_LT((longer[0] & 0x0f) + extra, 16u);
  longer[0] = static_cast<uint8_t>(longer[0] + extra);
  msgpack::Writer writer(longer);
  for (size_t i = 0; i < extra; ++i) writer.map(1).text("new").array(2).uint(1).nil();
  return longer;
}

TEST(LinkCodec, fields_of_later_versions_are_skipped) {
  ByteBuffer payload;
  encode(Credit{7}, payload);
  const auto message = decode(with_more_fields(payload, 3));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<Credit>(*message), Credit{7});
}

TEST(LinkCodec, fields_inside_structures_are_skipped_too) {
  ByteBuffer payload;
  msgpack::Writer writer(payload);
  writer.array(2).uint(9).array(6).uint(7).integer(1).integer(2).integer(3).uint(2).text("later");
  const auto message = decode(payload);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<AnchorFrame>(*message).anchor.utc_ns, 2);
}

TEST(LinkCodec, a_frame_with_too_few_fields_is_refused) {
  for (const auto& [name, payload] : samples::payloads()) {
    ByteBuffer shorter;
    msgpack::Writer(shorter).array(1).uint(msgpack::Reader(Bytes(payload).subspan(1)).take_uint());
    EXPECT_FALSE(decode(shorter).has_value()) << name;
  }
}

TEST(LinkCodec, every_truncation_and_every_trailing_byte_is_refused) {
  for (const auto& [name, payload] : samples::payloads()) {
    for (size_t size = 0; size < payload.size(); ++size) EXPECT_FALSE(decode(Bytes(payload).first(size)).has_value()) << name << " " << size;
    ByteBuffer longer = payload;
    longer.push_back(0xc0);
    EXPECT_FALSE(decode(longer).has_value()) << name;
  }
}

TEST(LinkCodec, types_from_64_on_are_skipped_and_unknown_ones_below_are_errors) {
  const auto type_of = [](uint64_t type) {
    ByteBuffer payload;
    msgpack::Writer(payload).array(2).uint(type).text("whatever");
    return decode(payload);
  };
  EXPECT_TRUE(std::holds_alternative<Skipped>(*type_of(64)));
  EXPECT_TRUE(std::holds_alternative<Skipped>(*type_of(1'000'000)));
  for (const uint64_t type : {0ull, 20ull, 63ull}) EXPECT_EQ(type_of(type).error().code, ErrorCode::unsupported) << type;
}

TEST(LinkCodec, pieces_of_calls_point_into_the_payload_and_have_a_bound) {
  const ByteBuffer text(limits::link_piece_bytes, 'x');
  ByteBuffer payload;
  encode(CallFrame{7, "task", "key:ops", seconds(3), 4096, false, text}, payload);
  EXPECT_LE(payload.size(), limits::frame_bytes);
  const auto call = decode(payload);
  ASSERT_TRUE(call.has_value());
  const auto& frame = std::get<CallFrame>(*call);
  EXPECT_EQ(frame.call, 7u);
  EXPECT_EQ(frame.task, "task");
  EXPECT_EQ(frame.principal, "key:ops");
  EXPECT_EQ(frame.deadline, seconds(3));
  EXPECT_EQ(frame.reply_bytes, 4096u);
  EXPECT_FALSE(frame.is_last);
  EXPECT_GE(frame.text.data(), payload.data());
  EXPECT_EQ(frame.text.size(), text.size());
  for (const uint64_t type : {17ull, 18ull}) {
    ByteBuffer longer;
    msgpack::Writer writer(longer);
    if (type == 17) writer.array(4).uint(type).uint(7).uint(0);
    else writer.array(3).uint(type).boolean(true);
    writer.binary(ByteBuffer(limits::link_piece_bytes + 1, 'x'));
    EXPECT_FALSE(decode(longer).has_value()) << type;
  }
}

TEST(LinkCodec, a_reply_is_a_piece_a_message_or_the_answer) {
  ByteBuffer payload;
  msgpack::Writer(payload).array(4).uint(17).uint(7).uint(3).binary(ByteBuffer{'x'});
  EXPECT_FALSE(decode(payload).has_value());
}

TEST(LinkCodec, an_unknown_reason_to_leave_is_other) {
  ByteBuffer payload;
  msgpack::Writer(payload).array(4).uint(12).uint(77).text("new reason").uint(0);
  EXPECT_EQ(std::get<Bye>(*decode(payload)).code, ByeCode::other);
}

TEST(LinkCodec, a_frame_is_at_most_64_kib) {
  EXPECT_EQ(decode(ByteBuffer(limits::frame_bytes + 1)).error().code, ErrorCode::limit);
}

TEST(LinkCodec, lists_are_taken_at_their_bound_and_refused_one_past) {
  Hello hello = samples::hello();
  hello.runs.assign(limits::hello_runs, {1, {1, 1, 1}});
  hello.anchors.assign(limits::hello_anchors, samples::anchor());
  EXPECT_EQ(through(hello), hello);
  SeriesFrame series{limits::series_per_device - limits::frame_series, std::vector<model::Series>(limits::frame_series, samples::series())};
  EXPECT_EQ(through(series), series);
  ++series.first;
  EXPECT_TRUE(is_refused(series));
  GapFrame gaps{std::vector<model::Gap>(limits::frame_gaps, samples::gap())};
  EXPECT_EQ(through(gaps), gaps);
  Ack ack;
  for (model::Seq i = 1; i <= limits::ack_ranges; ++i) ack.ranges.push_back({i * 10, i * 10 + 1});
  EXPECT_EQ(through(ack), ack);

  const auto one_past = [](uint64_t type, size_t before, size_t count) {
    ByteBuffer payload;
    msgpack::Writer writer(payload);
    writer.array(before + 3).uint(type);
    for (size_t i = 0; i < before; ++i) writer.uint(0);
    writer.array(count);
    for (size_t i = 0; i < count; ++i) writer.uint(i + 1);
    writer.uint(0);
    return !decode(payload).has_value();
  };
  EXPECT_TRUE(one_past(6, 1, limits::ack_ranges * 2 + 2));
  EXPECT_TRUE(one_past(5, 0, limits::frame_gaps + 1));
  EXPECT_TRUE(one_past(3, 1, limits::frame_series + 1));
}

TEST(LinkCodec, impossible_values_are_refused) {
  EXPECT_TRUE(is_refused(Ack{model::Stream::normal, {{5, 4}}, 0}));
  EXPECT_TRUE(is_refused(Ack{model::Stream::normal, {{0, 4}}, 0}));
  EXPECT_TRUE(is_refused(Ack{model::Stream::normal, {{5, 9}, {9, 12}}, 0}));
  EXPECT_TRUE(is_refused(Ack{model::Stream::normal, {{1, uint64_t{1} << 63}}, 0}));
  EXPECT_TRUE(is_refused(BlockFrame{Lane::live, model::Stream::normal, {1, limits::block_readings + 1}, {}}));
  model::Gap gap = samples::gap();
  gap.count = gap.range.count() + 1;
  EXPECT_TRUE(is_refused(GapFrame{{gap}}));
  Hello hello = samples::hello();
  hello.device = "Pump 7";
  EXPECT_TRUE(is_refused(hello));
  hello = samples::hello();
  hello.streams[0].next = 0;
  EXPECT_TRUE(is_refused(hello));
  Welcome welcome = samples::welcome();
  welcome.streams[1].agreed = welcome.streams[1].highest + 1;
  EXPECT_TRUE(is_refused(welcome));
  welcome = samples::welcome();
  welcome.streams[1].highest = 200;  // not what the ranges say
  EXPECT_TRUE(is_refused(welcome));
  SeriesFrame series{0, {samples::series()}};
  series.series[0].name = "";
  EXPECT_TRUE(is_refused(series));
}

TEST(LinkCodec, hostile_counts_allocate_nothing) {
  for (const ByteBuffer& payload : {ByteBuffer{0xdd, 0xff, 0xff, 0xff, 0xff}, ByteBuffer{0x93, 0x06, 0x01, 0xdd, 0xff, 0xff, 0xff, 0xff},
                                    ByteBuffer{0x96, 0x04, 0x00, 0x01, 0x01, 0x01, 0xc6, 0xff, 0xff, 0xff, 0xff}}) {
    EXPECT_FALSE(decode(payload).has_value());
  }
}

TEST(LinkCodec, texts_for_people_are_cut_and_cleaned_not_refused) {
  const Bye bye = through(Bye{ByeCode::other, std::string(limits::link_text_bytes - 1, 'x') + "\xc3\xa4\xc3\xa4", {}});
  EXPECT_EQ(bye.reason, std::string(limits::link_text_bytes - 1, 'x'));
  EXPECT_EQ(through(Bye{ByeCode::other, "certificate of \xff", {}}).reason, "certificate of ?");
}

TEST(LinkCodec, the_hash_of_definitions_depends_on_each_and_on_their_order) {
  model::Series a = samples::series();
  model::Series b = a;
  b.unit = "K";
  EXPECT_NE(series_hash(a, 0), series_hash(b, 0));
  EXPECT_NE(series_hash(b, series_hash(a, 0)), series_hash(a, series_hash(b, 0)));
  EXPECT_NE(series_hash(a, 0), 0u);
}

TEST(LinkCodec, device_ids_are_short_lower_case_words) {
  for (const char* good : {"a", "pump-7", "7.site_2"}) EXPECT_TRUE(is_device_id(good)) << good;
  for (const char* bad : {"", "-a", ".", "A", "a b", "a/b", "\xc3\xa4"}) EXPECT_FALSE(is_device_id(bad)) << bad;
  EXPECT_TRUE(is_device_id(std::string(limits::device_id_bytes, 'a')));
  EXPECT_FALSE(is_device_id(std::string(limits::device_id_bytes + 1, 'a')));
}

}  // namespace
}  // namespace tideline::link
