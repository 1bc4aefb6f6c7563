"""Child process that runs cases on a `.gpu.ocm`, on the best Vulkan device of this machine.

python -m optimum_compile.backends.gpu.runner ARTIFACT CASES OUT
"""

import sys

from optimum_compile.backends.native.device import Device
from optimum_compile.backends.native.runner import main

if __name__ == "__main__":
    artifact, cases, out = sys.argv[1:4]
    main(artifact, cases, out, Device())
