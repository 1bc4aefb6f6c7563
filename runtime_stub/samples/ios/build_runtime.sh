#!/bin/sh
# The runtime for devices and simulators as build/OptimumCompile.xcframework. Needs Xcode and CMake.
set -eu
cd "$(dirname "$0")"
runtime=${OC_RUNTIME:-../..}  # runtime_stub/

mkdir -p build/headers/optimum_compile
cp "$runtime/include/optimum_compile/optimum_compile.h" build/headers/optimum_compile/
cp module/module.modulemap build/headers/

build() {  # SDK ARCHITECTURES
  cmake -S "$runtime" -B "build/$1" -DOC_TOOLS=OFF -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=iOS \
    -DCMAKE_OSX_SYSROOT="$1" -DCMAKE_OSX_ARCHITECTURES="$2" -DCMAKE_OSX_DEPLOYMENT_TARGET=16.0
  cmake --build "build/$1" --target optimum_compile
}
build iphoneos arm64
build iphonesimulator "arm64;x86_64"

rm -rf build/OptimumCompile.xcframework
xcodebuild -create-xcframework \
  -library build/iphoneos/liboptimum_compile.a -headers build/headers \
  -library build/iphonesimulator/liboptimum_compile.a -headers build/headers \
  -output build/OptimumCompile.xcframework
