#!/bin/sh
# Usage: check_system.sh PYTHON PACKAGE...
# Make sure that a compiler and Python 3.11 or newer are there: install Debian's packages as root,
# otherwise name them.
set -eu
python=$1
shift
missing=""
command -v g++ >/dev/null 2>&1 || missing="g++"
found=$(command -v "$python" || command -v python3 || true)
if [ -z "$found" ] || ! "$found" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    missing="$missing python3(>=3.11, with venv)"
fi
# What GPU programs are built and checked with on this machine; without it their tests are skipped.
optional() {
    for package in libvulkan-dev mesa-vulkan-drivers vulkan-validationlayers; do
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" \
            >/dev/null 2>&1 || echo "not installed: $package (tests on Vulkan will be skipped)" >&2
    done
}
has_vulkan() { [ -f /usr/include/vulkan/vulkan_core.h ] && [ -n "$(ls /usr/share/vulkan/icd.d 2>/dev/null)" ]; }
if [ -z "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && ! has_vulkan; then
        apt-get update -qq >/dev/null 2>&1 || true
        optional
    fi
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing: $*" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    optional
    exit 0
fi
echo "error: missing: $missing" >&2
echo "run as root: apt-get install $*" >&2
exit 1
