#include "context/entry_json.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tideline::context {
namespace {

constexpr int64_t now = 1'800'000'000'000;

std::string shown(const Entry& entry, Rule rule = Rule::last_writer) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_entry(w, "mode", entry, rule, now);
  w.end_object();
  return out;
}

Entry both() {
  Entry entry;
  entry.of(Side::device) = {stamp_at(now - 2000), 0, false, 0, "app (context_set)", "\"eco\""};
  entry.of(Side::hub) = {stamp_at(now - 1000), 0, false, 0, "key:1 (context_set)", "\"auto\""};
  return entry;
}

TEST(EntryJson, NothingWrittenIsNothing) { EXPECT_EQ(shown({}), R"({"path":"mode","exists":false})"); }

TEST(EntryJson, AValueHasItsVersionAndItsWriter) {
  Entry entry;
  entry.of(Side::hub) = {stamp_at(now - 1500), 0, false, now + 1000, "ops", "[1]"};
  EXPECT_EQ(shown(entry), R"({"path":"mode","exists":true,"value":[1],"version":")" + format_version(Side::hub, stamp_at(now - 1500)) +
                              R"(","writer":"hub","author":"ops","time":"2027-01-15T07:59:58.500Z","expires":"2027-01-15T08:00:01Z","age_s":1.5})");
}

TEST(EntryJson, WhatIsGoneSaysHow) {
  Entry entry;
  entry.of(Side::hub) = {stamp_at(now - 1500), 0, false, now, "ops", "[1]"};
  EXPECT_NE(shown(entry).find(R"("exists":false,"gone":"expired")"), std::string::npos) << shown(entry);
  entry.of(Side::hub) = {stamp_at(now - 1500), 0, true, 0, "ops", ""};
  EXPECT_NE(shown(entry).find(R"("exists":false,"gone":"deleted")"), std::string::npos) << shown(entry);
  EXPECT_NE(entry_text("mode", entry, Rule::last_writer, now).find("nothing is there, deleted"), std::string::npos);
}

TEST(EntryJson, AConflictShowsTheValueThatLost) {
  const std::string text = shown(both(), Rule::device_wins);
  EXPECT_NE(text.find(R"("value":"eco")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("rule":"device_wins","conflict":{"value":"auto")"), std::string::npos) << text;
  EXPECT_NE(entry_text("mode", both(), Rule::device_wins, now).find("this lost: \"auto\""), std::string::npos);
}

TEST(EntryJson, LongValuesAreCutInALineForPeopleOnly) {
  Entry entry;
  entry.of(Side::hub) = {stamp_at(now), 0, false, 0, "", "\"" + std::string(5000, 'x') + "\""};
  EXPECT_LT(entry_text("mode", entry, Rule::last_writer, now).size(), 400u);
  EXPECT_GT(shown(entry).size(), 5000u);
}

TEST(EntryJson, SchemasAreJson) {
  for (const std::string& members : {entry_schema(), history_schema()}) {
    EXPECT_EQ(std::count(members.begin(), members.end(), '{'), std::count(members.begin(), members.end(), '}')) << members;
  }
}

}  // namespace
}  // namespace tideline::context
