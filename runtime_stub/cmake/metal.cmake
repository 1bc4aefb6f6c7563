# The Metal host, on Apple machines: Objective-C++ sources, and kernels/built/metal compiled to one library that
# is linked into the runtime. Not executed so far: nobody who built this had such a machine.
option(OC_METAL "Build the Metal host" ON)
if(NOT OC_METAL)
  return()
endif()
enable_language(OBJCXX)
if(CMAKE_SYSTEM_NAME STREQUAL "iOS")
  set(OC_SDK iphoneos)
  if(CMAKE_OSX_SYSROOT MATCHES "[Ss]imulator")
    set(OC_SDK iphonesimulator)
  endif()
  set(OC_METAL_STD ios-metal2.3)
else()
  set(OC_SDK macosx)
  set(OC_METAL_STD macos-metal2.3)
endif()

# Fast arithmetic would drop what is not a number and round codes of the cache in other ways than a CPU.
file(GLOB OC_METAL_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/kernels/built/metal/*.metal)
set(OC_METAL_OBJECTS "")
foreach(source IN LISTS OC_METAL_SOURCES)
  get_filename_component(name ${source} NAME_WE)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/metal/${name}.air)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/metal
    COMMAND xcrun -sdk ${OC_SDK} metal -std=${OC_METAL_STD} -O2 -fno-fast-math -c ${source} -o ${object}
    DEPENDS ${source} VERBATIM)
  list(APPEND OC_METAL_OBJECTS ${object})
endforeach()
set(OC_METALLIB_FILE ${CMAKE_CURRENT_BINARY_DIR}/optimum_compile.metallib)
add_custom_command(
  OUTPUT ${OC_METALLIB_FILE}
  COMMAND xcrun -sdk ${OC_SDK} metallib ${OC_METAL_OBJECTS} -o ${OC_METALLIB_FILE}
  DEPENDS ${OC_METAL_OBJECTS} VERBATIM)

set(OC_METAL_HOST src/gpu/metal.mm src/gpu/metal_device.mm)
set_source_files_properties(${OC_METAL_HOST} PROPERTIES COMPILE_OPTIONS "-fobjc-arc;-fobjc-arc-exceptions")
set_source_files_properties(src/gpu/metal_device.mm PROPERTIES
  COMPILE_DEFINITIONS "OC_METALLIB=\"${OC_METALLIB_FILE}\"" OBJECT_DEPENDS ${OC_METALLIB_FILE})
target_sources(optimum_compile PRIVATE ${OC_METAL_HOST} ${OC_METALLIB_FILE})
target_compile_definitions(optimum_compile PRIVATE OC_METAL)
target_link_libraries(optimum_compile PUBLIC "-framework Foundation" "-framework Metal")
set_target_properties(optimum_compile PROPERTIES OBJCXX_STANDARD 17 OBJCXX_STANDARD_REQUIRED ON)
