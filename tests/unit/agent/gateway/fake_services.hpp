// An agent without a store for the built-in provider: the test says what is known and answers the questions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/gateway/agent_services.hpp"

namespace tideline::test {

constexpr UtcNanos utc(int64_t second) { return {(1'790'000'000 + second) * 1'000'000'000}; }

class FakeServices final : public agent::AgentServices {
 public:
  std::string device() const override { return "pump-7"; }
  agent::Moment moment() const override { return now; }
  const model::SeriesDictionary& dictionary() const override { return known; }
  const agent::StoreStatus& store() const override { return status; }
  std::vector<model::Gap> gaps(model::Stream stream) const override { return lost[model::index_of(stream)]; }
  agent::SyncView sync() const override { return view; }
  std::string status_json() const override { return R"({"device":"pump-7"})"; }
  std::vector<agent::Finding> diagnose() const override { return findings; }
  void sync_now() override { ++syncs; }
  void ask(model::Query query, Token token) override { asked.emplace_back(std::move(query), token); }
  Status record(const std::vector<agent::NewReading>& readings, Token token) override {
    if (!refusal) return refusal;
    recorded.emplace_back(readings, token);
    return {};
  }

  model::SeriesId add(const std::string& key, model::Stream stream = model::Stream::normal) {
    model::Series series = *model::parse_series_key(key);
    series.stream = stream;
    return *known.add(series);
  }
  model::SeriesAnswer points(model::SeriesId id, std::vector<std::pair<int64_t, double>> at) const {
    model::SeriesAnswer answer{"", known.at(id), model::TimeQuality::synced, {}};
    for (const auto& [second, value] : at) {
      model::Point point;
      point.time_ns = utc(second).nanos;
      point.bits = std::bit_cast<uint64_t>(value);
      answer.points.push_back(point);
    }
    return answer;
  }

  agent::Moment now{utc(1000), model::TimeQuality::synced, 0, utc(900)};
  model::SeriesDictionary known;
  agent::StoreStatus status;
  std::array<std::vector<model::Gap>, model::stream_count> lost;
  agent::SyncView view;
  std::vector<agent::Finding> findings;
  int syncs = 0;
  std::vector<std::pair<model::Query, Token>> asked;
  Status refusal;
  std::vector<std::pair<std::vector<agent::NewReading>, Token>> recorded;
};

}  // namespace tideline::test
