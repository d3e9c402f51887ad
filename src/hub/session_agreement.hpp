// Which part of what the hub holds the device that says hello has written itself (src/link/FORMAT.md, rollback). Pure.
#pragma once

#include "hub/archive.hpp"
#include "link/message.hpp"

namespace tideline::hub {

/// What welcome says of one stream: ranges (the first and the newest), highest number held, in a block, and agreed.
///
/// A device claims, for each of its runs, the numbers from the run's first up to the next run's first. Run ids are random and
/// made at every opening of a store: a block of a claimed run, within the claimed numbers, was written by this store or by the
/// image it was restored from. The highest such number is `agreed`; every block above it was written by somebody else.
link::StreamHeld compare_claims(const link::Hello& hello, const DeviceState& state, model::Stream stream);

}  // namespace tideline::hub
