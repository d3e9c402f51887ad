# 64-bit RISC-V (RV64GC): VisionFive 2, BeagleV. Debian has it from trixie on, so the programs need trixie or later.
set(triplet riscv64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
