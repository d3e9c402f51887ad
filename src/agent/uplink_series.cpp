#include <algorithm>

#include "agent/uplink.hpp"
#include "block/decoder.hpp"

namespace tideline::agent {

model::SeriesId series_end_of(const model::StoredBlock& block) {
  const auto view = block::BlockView::open(block.bytes);
  if (!view) return 0;  // the hub will refuse it; that it is damaged is found out there, once
  model::SeriesId end = 0;
  for (const block::Column& column : view->columns()) end = std::max(end, column.series + 1);
  return end;
}

}  // namespace tideline::agent
