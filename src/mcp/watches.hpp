// Who on one stream wants to hear of changes: modern listens and the subscriptions of a legacy session. Pure data, one owner (Server).
// Bounds: limits::mcp_listens, mcp_watched_uris, mcp_watched_tasks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mcp/catalog.hpp"
#include "mcp/json_slice.hpp"

namespace tideline::mcp {

struct Listen {
  std::string id;  ///< raw JSON of the request; tags every message of the stream
  uint64_t token = 0;
  bool tools = false;
  bool prompts = false;
  bool resources = false;
  std::vector<std::string> uris;
  std::vector<std::string> tasks;
};

/// What of a listen request may be granted.
struct ListenOffer {
  bool tools = false;
  bool prompts = false;
  bool resources = false;
  bool watching = false;
  bool tasks = false;
};

/// Reads params.notifications, keeping what is offered and fits the bounds. Errors: invalid.
Result<Listen> read_listen(Slice filter, const ListenOffer& offer);
/// The granted filter as JSON, for the acknowledgement.
std::string listen_filter(const Listen& listen);

class Watches {
 public:
  bool is_full() const;
  /// Each change of watchers is told as (uri, true) for the first and (uri, false) for the last.
  struct Change {
    std::string uri;
    bool is_watched = false;
  };
  std::vector<Change> add(Listen listen);
  std::vector<Change> remove(std::string_view id);
  std::vector<Change> clear();
  const Listen* find(std::string_view id) const;
  const std::vector<Listen>& listens() const { return listens_; }

  /// Legacy subscriptions. False at the bound.
  bool subscribe(const std::string& uri, std::vector<Change>& changes);
  std::vector<Change> unsubscribe(std::string_view uri);
  bool is_subscribed(std::string_view uri) const;

 private:
  bool is_watched(std::string_view uri) const;
  std::vector<Listen> listens_;
  std::vector<std::string> subscribed_;
};

bool wants_list(const Listen& listen, ListKind kind);
bool wants_uri(const Listen& listen, std::string_view uri);
bool wants_task(const Listen& listen, std::string_view task_id);

}  // namespace tideline::mcp
