// Which part of what the hub holds the device that says hello has written itself (src/link/FORMAT.md, rollback). Pure.
#pragma once

#include <vector>

#include "hub/store/archive.hpp"
#include "link/message.hpp"

namespace tideline::hub {

/// What welcome says of one stream: ranges (the first and the newest), the highest number held, and `agreed`.
///
/// A device claims, for each of its runs, the numbers from the run's first up to the next run's first. Run ids are random and made
/// at every opening of a store, so a run that both sides know was written by this store or by the image that it was made from.
/// The highest number held of such runs, within what is claimed, is certainly common. If more is held above it, somebody else
/// wrote there, and both timelines are private from where either began a run that the other does not know: `agreed` ends there.
link::StreamHeld compare_claims(const link::Hello& hello, const DeviceState& state, model::Stream stream);

/// The runs that the device claims, as they are told to the archive with its data: those that may have numbers.
std::vector<HeldRun> claimed_runs(const link::Hello& hello);
/// Notes that `range` of `stream` is held, in the runs whose claimed numbers it touches. True when that was news.
bool note_held(std::vector<HeldRun>& claims, model::Stream stream, model::SeqRange range);

}  // namespace tideline::hub
