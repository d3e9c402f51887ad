#include "sim/model_store.hpp"

#include <algorithm>

#include "link/codec.hpp"

namespace tideline::sim {

ByteBuffer write_block(const BlockText& text, size_t padding) {
  ByteBuffer bytes(32 + text.contents.size() * 8 + padding);
  store_le(bytes.data(), text.run);
  store_le(bytes.data() + 8, uint64_t{text.series});
  store_le(bytes.data() + 16, text.series_identity);
  store_le(bytes.data() + 24, uint64_t{text.contents.size()});
  for (size_t i = 0; i < text.contents.size(); ++i) store_le(bytes.data() + 32 + i * 8, text.contents[i]);
  return bytes;
}

BlockText read_block(Bytes bytes) {
  BlockText text;
  text.run = load_le<uint64_t>(bytes.data());
  text.series = static_cast<model::SeriesId>(load_le<uint64_t>(bytes.data() + 8));
  text.series_identity = load_le<uint64_t>(bytes.data() + 16);
  text.contents.resize(load_le<uint64_t>(bytes.data() + 24));
  for (size_t i = 0; i < text.contents.size(); ++i) text.contents[i] = load_le<uint64_t>(bytes.data() + 32 + i * 8);
  return text;
}

model::SeriesId series_end_of_model(const model::StoredBlock& block) { return read_block(block.bytes).series + 1; }

ModelStore::ModelStore(StoreImage image, uint64_t run, Random& random, Listener& listener, Defer defer)
    : image_(std::move(image)), random_(random), listener_(listener), defer_(std::move(defer)) {
  begin_run(run);
  status_.anchor.boot_id = run;
  refresh();
}

void ModelStore::begin_run(uint64_t id) {
  model::Run run;
  run.id = id;
  for (size_t i = 0; i < model::stream_count; ++i) run.first[i] = image_.next[i];
  image_.runs.push_back(run);
  if (image_.runs.size() > limits::runs) image_.runs.erase(image_.runs.begin());
}

void ModelStore::refresh() {
  status_.epoch = image_.epoch;
  status_.incarnation = image_.incarnation;
  status_.run = image_.runs.back();
  for (size_t i = 0; i < model::stream_count; ++i) {
    status_.streams[i].next = image_.next[i];
    status_.streams[i].acknowledged = image_.acknowledged[i];
  }
}

void ModelStore::produce(model::Stream stream, size_t count, Content first, size_t padding, const model::Series& series) {
  const auto id = image_.dictionary.add(series);
  assert(id.has_value());
  Entry entry;
  model::Seq& next = image_.next[model::index_of(stream)];
  entry.range = {next, next + count - 1};
  entry.text = {image_.runs.back().id, *id, link::series_hash(series, 0), {}};
  entry.padding = padding;
  for (size_t i = 0; i < count; ++i) entry.text.contents.push_back(first + i);
  next += count;
  log(stream).push_back(std::move(entry));
  refresh();
  listener_.on_committed(stream, next);
}

void ModelStore::evict(model::Stream stream) {
  for (Entry& entry : log(stream)) {
    if (entry.kind != Entry::Kind::block || image_.acknowledged[model::index_of(stream)].covers(entry.range)) continue;
    entry.kind = Entry::Kind::gap;
    entry.gap = {stream, entry.range, entry.range.count(), model::GapReason::evicted, false, 0, 0, 0};
    return;
  }
}

/// Readings that could not be stored: numbers used up by a gap.
void ModelStore::lose(model::Stream stream, size_t count) {
  Entry entry;
  model::Seq& next = image_.next[model::index_of(stream)];
  entry.kind = Entry::Kind::gap;
  entry.range = {next, next + count - 1};
  entry.gap = {stream, entry.range, count, model::GapReason::disk_full, false, 0, 0, 0};
  next += count;
  log(stream).push_back(std::move(entry));
  refresh();
  listener_.on_committed(stream, next);
}

void ModelStore::free_acknowledged() {
  for (size_t i = 0; i < model::stream_count; ++i) {
    for (Entry& entry : image_.log[i]) {
      if (entry.kind == Entry::Kind::block && image_.acknowledged[i].covers(entry.range)) entry.kind = Entry::Kind::freed;
    }
  }
}

size_t ModelStore::entries() const { return image_.log[0].size() + image_.log[1].size() + image_.log[2].size(); }

void ModelStore::fetch(model::Stream stream, model::Seq from, size_t max_bytes) {
  defer_([this, stream, from, max_bytes] { do_fetch(stream, from, max_bytes); });
}

void ModelStore::do_fetch(model::Stream stream, model::Seq from, size_t max_bytes) {
  std::vector<model::StoredBlock> blocks;
  std::vector<model::Gap> gaps;
  model::Seq covered_to = from - 1;
  size_t bytes = 0;
  const size_t most_items = static_cast<size_t>(1 + random_.below(6));
  for (const Entry& entry : log(stream)) {
    if (entry.range.last < from) continue;
    if (blocks.size() + gaps.size() >= most_items || bytes >= max_bytes) break;
    covered_to = entry.range.last;
    if (entry.kind == Entry::Kind::block) {
      blocks.push_back({stream, entry.range, write_block(entry.text, entry.padding)});
      bytes += blocks.back().bytes.size();
    } else if (entry.kind == Entry::Kind::gap) {
      gaps.push_back(entry.gap);
    }
  }
  listener_.on_fetched(stream, from, std::move(blocks), std::move(gaps), covered_to);
}

void ModelStore::set_acknowledged(model::Stream stream, const model::SeqRanges& ranges) {
  image_.acknowledged[model::index_of(stream)] = ranges;
}
void ModelStore::add_acknowledged(model::Stream stream, model::SeqRange range) {
  (void)image_.acknowledged[model::index_of(stream)].add(range, limits::cursor_ranges);
}

void ModelStore::set_aside(model::Stream stream, model::SeqRange range) {
  defer_([this, stream, range] {
    for (Entry& entry : log(stream)) {
      if (entry.range != range || entry.kind != Entry::Kind::block) continue;
      entry.kind = Entry::Kind::gap;
      entry.gap = {stream, range, range.count(), model::GapReason::refused, false, 0, 0, 0};
    }
  });
}

void ModelStore::rebase(model::Stream stream, model::Seq from, model::Seq next) {
  defer_([this, stream, from, next] { do_rebase(stream, from, next); });
}

void ModelStore::do_rebase(model::Stream stream, model::Seq from, model::Seq next) {
  ++image_.incarnation;
  const size_t i = model::index_of(stream);
  if (next > from) {
    const uint64_t by = next - from;
    Entry given_up;
    given_up.kind = Entry::Kind::gap;
    given_up.range = {from, next - 1};
    given_up.gap = {stream, given_up.range, 0, model::GapReason::rollback, false, 0, 0, 0};
    std::vector<Entry>& log = image_.log[i];
    const auto moved = std::find_if(log.begin(), log.end(), [&](const Entry& entry) { return entry.range.first >= from; });
    for (auto entry = moved; entry != log.end(); ++entry) {
      entry->range = {entry->range.first + by, entry->range.last + by};
      entry->gap.range = entry->range;
    }
    log.insert(moved, given_up);
    for (model::Run& run : image_.runs) {
      if (run.first[i] >= from) run.first[i] += by;
    }
    image_.next[i] += by;
    image_.acknowledged[i].clear();
  }
  refresh();
  listener_.on_rebased(stream, {});
}

std::vector<model::Gap> ModelStore::gaps(model::Stream stream, model::Seq from) const {
  std::vector<model::Gap> gaps;
  for (const Entry& entry : image_.log[model::index_of(stream)]) {
    if (entry.kind == Entry::Kind::gap && entry.range.last >= from) gaps.push_back(entry.gap);
  }
  return gaps;
}

std::optional<std::string> ModelStore::setting(const std::string& key) const {
  const auto found = image_.settings.find(key);
  return found == image_.settings.end() ? std::nullopt : std::optional(found->second);
}

Status ModelStore::put_note(const std::string& key, std::string text, Token token) {
  defer_([this, key, text = std::move(text), token] {
    text.empty() ? (void)image_.notes.erase(key) : (void)image_.notes.insert_or_assign(key, text);
    listener_.on_noted(token, {});
  });
  return {};
}

void ModelStore::get_note(const std::string& key, Token token) {
  defer_([this, key, token] {
    const auto found = image_.notes.find(key);
    listener_.on_note(token, found == image_.notes.end() ? Result<std::string>(Error{ErrorCode::not_found, 0, "no note of this key"}) : found->second);
  });
}

agent::ContextImage ModelStore::take_context() {
  agent::ContextImage image;
  for (const auto& [key, reg] : image_.context) {
    image.newest = std::max(image.newest, reg.write.stamp);
    image.registers.push_back(reg);
  }
  return image;
}

Status ModelStore::put_context(agent::ContextPut put) {
  defer_([this, put = std::move(put)] {
    for (const context::Register& reg : put.registers) image_.context.insert_or_assign({reg.path, reg.side}, reg);
    for (const std::string& path : put.forgotten) {
      for (const context::Side side : context::sides) image_.context.erase({path, side});
    }
    listener_.on_context_put(put.token, {});
  });
  return {};
}

void ModelStore::ask_context_history(std::string path, Token token) {
  defer_([this, path = std::move(path), token] {
    std::vector<context::Register> writes;
    for (const context::Side side : context::sides) {
      if (const auto held = image_.context.find({path, side}); held != image_.context.end()) writes.push_back(held->second);
    }
    listener_.on_context_history(token, std::move(writes));
  });
}

std::vector<std::string> ModelStore::note_keys(std::string_view prefix) const {
  std::vector<std::string> keys;
  for (const auto& [key, text] : image_.notes) {
    if (key.starts_with(prefix)) keys.push_back(key);
  }
  return keys;
}

}  // namespace tideline::sim
