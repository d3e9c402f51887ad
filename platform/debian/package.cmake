# Where everything is installed, and the two Debian packages made of it: `cmake --build BUILD --target deb`, for the host or with a
# toolchain file. They lie in BUILD/packages.
#
#   TIDELINE_DEB_DEPENDS       runtime libraries, where dpkg-shlibdeps cannot find them: a cross build against a bare sysroot
#   TIDELINE_DEB_ARCHITECTURE  amd64, arm64, armhf, ...; found out from the compiler when not set
include(GNUInstallDirs)
set(packaging ${CMAKE_CURRENT_LIST_DIR})
set(generated ${CMAKE_BINARY_DIR}/debian)
set(TIDELINE_UNIT_DIR lib/systemd/system CACHE STRING "where the units are installed, below the prefix or absolute")
set(TIDELINE_DEB_DEPENDS "" CACHE STRING "runtime dependencies of the packages; empty: dpkg-shlibdeps finds them")
set(TIDELINE_DEB_ARCHITECTURE "" CACHE STRING "Debian's name of the target; empty: by the compiler's triplet")

set(names tideline)
set(titles "Tideline edge agent")
set(configs agent.toml)
set(components agent)
if(TIDELINE_HUB)
  list(APPEND names tideline-hub)
  list(APPEND titles "Tideline hub")
  list(APPEND configs hub.toml)
  list(APPEND components hub)
endif()

configure_file(${packaging}/changelog.in ${generated}/changelog @ONLY)
set(documents ${generated}/changelog.gz)
add_custom_command(OUTPUT ${generated}/changelog.gz COMMAND gzip -9nc changelog > changelog.gz DEPENDS ${generated}/changelog WORKING_DIRECTORY ${generated})

foreach(NAME TITLE CONFIG component IN ZIP_LISTS names titles configs components)
  foreach(script postinst prerm postrm)
    configure_file(${packaging}/scripts/${script}.in ${generated}/${NAME}/${script} @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
      GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endforeach()
  file(WRITE ${generated}/${NAME}/conffiles "/etc/tideline/${CONFIG}\n")
  file(CHMOD ${generated}/${NAME}/conffiles FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  add_custom_command(OUTPUT ${generated}/${NAME}.1.gz COMMAND gzip -9nc ${packaging}/${NAME}.1 > ${NAME}.1.gz DEPENDS ${packaging}/${NAME}.1 WORKING_DIRECTORY ${generated})
  list(APPEND documents ${generated}/${NAME}.1.gz)

  install(TARGETS ${NAME} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
  install(FILES ${CMAKE_SOURCE_DIR}/platform/systemd/${NAME}.service DESTINATION ${TIDELINE_UNIT_DIR} COMPONENT ${component})
  # Where the programs look for it, whatever prefix the build has.
  install(FILES ${packaging}/${CONFIG} DESTINATION /etc/tideline COMPONENT ${component})
  install(FILES ${generated}/${NAME}.1.gz DESTINATION share/man/man1 COMPONENT ${component})
  install(FILES ${packaging}/copyright ${generated}/changelog.gz DESTINATION share/doc/${NAME} COMPONENT ${component})

  string(TOUPPER ${component} part)
  set(CPACK_DEBIAN_${part}_PACKAGE_NAME ${NAME})
  set(CPACK_DEBIAN_${part}_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_${part}_PACKAGE_CONTROL_EXTRA "${generated}/${NAME}/postinst;${generated}/${NAME}/prerm;${generated}/${NAME}/postrm;${generated}/${NAME}/conffiles")
  set(CPACK_DEBIAN_${part}_PACKAGE_DEPENDS "adduser")
  if(TIDELINE_DEB_DEPENDS)
    string(APPEND CPACK_DEBIAN_${part}_PACKAGE_DEPENDS ", ${TIDELINE_DEB_DEPENDS}")
  endif()
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/platform/systemd/examples/ DESTINATION share/doc/tideline/examples COMPONENT agent FILES_MATCHING PATTERN "*.conf")
add_custom_target(package_documents ALL DEPENDS ${documents})  # `cmake --install` wants them too

if(NOT TIDELINE_DEB_ARCHITECTURE)
  # The compiler knows better than the processor's name: armv7l is armhf or armel.
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -dumpmachine OUTPUT_VARIABLE triplet OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(known "x86_64=amd64;aarch64=arm64;arm.*gnueabihf=armhf;arm.*gnueabi=armel;riscv64=riscv64;i.86=i386")
  foreach(pair IN LISTS known)
    string(REGEX MATCH "^(.*)=(.*)$" ignored ${pair})
    set(found ${CMAKE_MATCH_2})
    if(triplet MATCHES "^${CMAKE_MATCH_1}")
      set(TIDELINE_DEB_ARCHITECTURE ${found})
      break()
    endif()
  endforeach()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tideline)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Tideline developers <maintainers@tideline.invalid>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${TIDELINE_DEB_ARCHITECTURE})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
if(NOT TIDELINE_DEB_DEPENDS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
set(CPACK_COMPONENT_AGENT_DESCRIPTION "edge agent: buffers readings of sensors and syncs them to a hub
The agent samples the sensors of its device, takes readings from other
programs, keeps them on disk through every outage, and syncs them to a
hub over TLS. It serves its tools to AI applications by the Model
Context Protocol.")
set(CPACK_COMPONENT_HUB_DESCRIPTION "hub of a fleet of devices: takes their readings, serves AI clients
Devices dial the hub over TLS. It stores their readings, answers
questions about the fleet, and serves AI clients by the Model Context
Protocol, whether a device is online or not.")
include(CPack)

add_custom_target(deb COMMAND ${CMAKE_COMMAND} -E rm -rf ${CPACK_PACKAGE_DIRECTORY} COMMAND ${CMAKE_CPACK_COMMAND} -G DEB
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
add_dependencies(deb ${names} package_documents)
