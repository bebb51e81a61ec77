# SPDX-FileCopyrightText: 2026 The paws_hpc developers
# SPDX-License-Identifier: BSD-3-Clause
"""Spack's recipe for paws_hpc; packaging/spack/README.md says how to use it, and what of it has been checked."""

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.builtin.build_systems.cuda import CudaPackage

from spack.package import *


class PawsHpc(CMakePackage, CudaPackage):
    """Semi-supervised visual pre-training with PAWS and SuNCEt, on LibTorch, Kokkos, MPI and HDF5."""

    # There is no public address yet: `spack develop` takes a clone, or put the one that you cloned from here.
    git = "https://localhost/paws_hpc.git"

    license("BSD-3-Clause")

    version("main", branch="main")
    version("0.2.0", tag="v0.2.0")

    generator("ninja")

    variant("tests", default=False, description="Build the tests, and the benchmarks that they use")
    variant("onednn", default=False, description="Winograd convolutions on CPUs by an oneDNN of its own")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    depends_on("hdf5@1.10:1.14 +mpi")
    depends_on("py-torch@1.13:")
    depends_on("kokkos@3.4: +openmp")
    depends_on("yaml-cpp@0.7:")
    depends_on("cli11@2.1:", type="build")
    depends_on("fmt@9:")
    depends_on("nlohmann-json@3.9:", type="build")
    depends_on("libjpeg-turbo@2.1:")
    depends_on("libpng")
    depends_on("libzip")
    depends_on("zlib-api")
    # Its interface changed in 3.
    depends_on("onednn@2 cpu_runtime=omp", when="+onednn")

    # LibTorch and Kokkos are for GPUs, or neither is.
    depends_on("py-torch ~cuda", when="~cuda")
    depends_on("kokkos ~cuda", when="~cuda")
    depends_on("py-torch +nccl", when="+cuda")
    depends_on("kokkos +cuda +wrapper", when="+cuda")
    requires("^kokkos +cuda_lambda", when="+cuda ^kokkos@:4")
    depends_on("nccl@2.7:", when="+cuda")
    conflicts("cuda_arch=none", when="+cuda", msg="name the GPUs' architecture: cuda_arch=70 for V100, 80 for A100, 90 for H100")
    for arch in CudaPackage.cuda_arch_values:
        depends_on(f"py-torch +cuda cuda_arch={arch}", when=f"+cuda cuda_arch={arch}")
        depends_on(f"kokkos +cuda cuda_arch={arch}", when=f"+cuda cuda_arch={arch}")

    with when("+tests"):
        depends_on("kokkos +serial")
        depends_on("catch2@2.13:")
        depends_on("benchmark")
        depends_on("valgrind", type="build")
        with default_args(type=("build", "run")):
            depends_on("python@3.9:")
            depends_on("py-crcmod")
            depends_on("py-h5py")
            depends_on("py-matplotlib")
            depends_on("py-numpy")
            depends_on("py-pillow")
            depends_on("py-protobuf")
            depends_on("py-pyyaml")

    conflicts("%gcc@:10", msg="paws_hpc needs C++20")

    def cmake_args(self):
        return [
            # Spack's compiler wrapper names the target's instruction set.
            self.define("PAWS_NATIVE", False),
            self.define("PAWS_CCACHE", False),
            self.define("PAWS_WERROR", False),
            self.define("PAWS_UNITY", True),
            self.define_from_variant("PAWS_BUILD_TESTS", "tests"),
            self.define_from_variant("PAWS_BUILD_PERF", "tests"),
            # Without the variant, one that happens to be in a system folder is left alone.
            *([] if self.spec.satisfies("+onednn") else [self.define("ONEDNN_HEADERS", False)]),
        ]

    def test_version(self):
        """the program starts"""
        program = Executable(self.prefix.bin.paws_hpc)
        assert "paws_hpc" in program("--version", output=str)
