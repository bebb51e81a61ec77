#include "io/files/other_file.hpp"

#include <functional>

#include "io/results/inspect.hpp"
#include "io/torch/torch_file.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

TEST_CASE("files of other programs are refused as what they are", "[io]")
{
    const TemporaryFolder folder;
    const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string> parts)
    {
        const auto path = write_file(folder / "other.pth", bytes);
        for (const auto& read :
             {std::function<void()>([&] { read_torch_file(path); }), std::function<void()>([&] { describe(path); }),
              std::function<void()>([&] { refuse_other_file(path); })})
        {
            check_refused(read, {"other.pth: "});
            check_refused(read, parts);
        }
    };
    const std::string json = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    refuse(static_cast<char>(json.size()) + std::string(7, '\0') + json + "1234", {"safetensors", "torch.save"});
    refuse(std::string("\x08\x08\x12\x07pytorch\x1a\x03", 13) + "1.0", {"ONNX"});
    refuse("\x1f\x8b\x08\x04zzzz", {"is compressed", "decompress"});
    refuse("BZh91AY", {"is compressed"});
    refuse(std::string("\xfd"
                       "7zXZ\0\0",
                       7),
           {"is compressed"});
    refuse("\x28\xb5\x2f\xfdzzzz", {"is compressed"});
    refuse("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", {"Git LFS", "git lfs pull"});
    refuse("<!DOCTYPE html>\n<html>", {"web page"});
    refuse("\x93NUMPY\x01", {"numpy"});
    refuse("\xff\xd8\xff\xe0", {"image"});
    refuse(std::string(257, 'a') + "ustar", {"tar archive"});
    refuse(std::string("\x80\x04}.", 4), {"pickle", "torch.save"});
    refuse("", {"is empty"});
    // Nothing known.
    for (const auto& path : {write_file(folder / "text", "hello"), write_file(folder / "short", "\x89HDF")})
    {
        check_refused([&] { refuse_other_file(path); }, {path.filename().string(), "neither", "HDF5", "PyTorch"});
        check_refused([&] { describe(path); }, {"neither an HDF5 file nor a checkpoint of PyTorch"});
    }
    CHECK_NOTHROW(refuse_other_file(write_file(folder / "damaged.h5", "\x89HDF\r\n\x1a\n...")));
    CHECK(kind_of_other_file(write_file(folder / "text", "hello")).empty());
    CHECK(kind_of_other_file(write_file(folder / "brace", "{\"a\": 1, \"b\": 2}")).empty());
}
