# What every toolchain file here shares: a Debian cross compiler, and the board's libraries in an extracted tree of Debian
# packages (a sysroot), made by `toolchains/sysroot TRIPLET`. The including file sets `triplet` and may set `machine_flags`.
#
#   TIDELINE_SYSROOT   the tree; by default build/sysroot/TRIPLET, and where that is absent the host's own TRIPLET libraries (multiarch)
set(CMAKE_SYSTEM_NAME Linux)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR ${triplet})
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})

# CMake reads this file again for each of its own little test programs: they need the same tree.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TIDELINE_SYSROOT)
set(sysroot_default ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot/${triplet})
if(NOT TIDELINE_SYSROOT AND EXISTS ${sysroot_default}/usr/include)
  get_filename_component(TIDELINE_SYSROOT ${sysroot_default} REALPATH)
endif()
if(TIDELINE_SYSROOT AND NOT IS_DIRECTORY ${TIDELINE_SYSROOT}/usr/include)
  message(FATAL_ERROR "TIDELINE_SYSROOT=${TIDELINE_SYSROOT}: no usr/include in it, so this is no tree of a board.\n"
    "Make one: toolchains/sysroot ${triplet}")
endif()

find_program(cross_gcc ${triplet}-gcc NO_CACHE)
find_program(cross_gxx ${triplet}-g++ NO_CACHE)
if(NOT cross_gcc OR NOT cross_gxx)
  message(FATAL_ERROR "no cross compiler: ${triplet}-g++ is not on the PATH.\nDebian and Ubuntu: apt-get install g++-${triplet}")
endif()
set(CMAKE_C_COMPILER ${cross_gcc})
set(CMAKE_CXX_COMPILER ${cross_gxx})
set(CMAKE_C_FLAGS_INIT "${machine_flags}")
set(CMAKE_CXX_FLAGS_INIT "${machine_flags}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
if(TIDELINE_SYSROOT)
  set(CMAKE_SYSROOT ${TIDELINE_SYSROOT})
  # Debian's cross gcc looks into its own /usr/TRIPLET/lib before the sysroot, and would link another libc than the board's.
  set(first "${TIDELINE_SYSROOT}/usr/lib/${triplet}")
  string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -B${first} -L${first} -L${TIDELINE_SYSROOT}/lib/${triplet}")
  set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
endif()

# ctest runs the board's programs by user-mode emulation, with the libraries of the sysroot.
string(REGEX REPLACE "^arm.*" "arm" qemu_machine ${CMAKE_SYSTEM_PROCESSOR})
find_program(qemu_user NAMES qemu-${qemu_machine}-static qemu-${qemu_machine} NO_CACHE)
if(qemu_user AND TIDELINE_SYSROOT)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${qemu_user} -L ${TIDELINE_SYSROOT})
endif()
