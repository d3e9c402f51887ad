# ARMv5TE, no floating point unit: i.MX 28, AM18xx, Kirkwood; also runs on ARMv6 (Raspberry Pi 1 and Zero). Debian's armel.
set(triplet arm-linux-gnueabi)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
# ARMv5 has no instruction for atomic 64-bit words: the compiler's library is asked, and is inside the program.
set(CMAKE_CXX_STANDARD_LIBRARIES_INIT "-Wl,--push-state,-Bstatic -latomic -Wl,--pop-state")
