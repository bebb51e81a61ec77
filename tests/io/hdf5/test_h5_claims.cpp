#include <zlib.h>

#include "io/dataset/dataset_file.hpp"
#include "io/results/inspect.hpp"
#include "tests/io/raw_h5.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
constexpr hsize_t huge = hsize_t{1} << 32;

void deflated(hid_t creation)
{
    H5Pset_deflate(creation, 9);
}

/// Refused before anything of that size is read, by a data set's reader and by inspect.
void check_claim_refused(const std::string& without, const std::function<void(hid_t)>& fill,
                         std::initializer_list<std::string> parts)
{
    const TemporaryFolder folder;
    const auto path = raw::make(folder / "data.h5", "paws-dataset",
                                [&](hid_t file)
                                {
                                    raw::put_dataset(file, without);
                                    fill(file);
                                });
    CHECK(std::filesystem::file_size(path) < 100'000);
    check_refused([&] { DatasetFile{path}; }, parts);
    check_refused([&] { describe(path); }, parts);
}
}  // namespace

TEST_CASE("data sets that claim more than the file holds are refused", "[io][h5_claims]")
{
    const std::vector<std::uint8_t> nothing;
    check_claim_refused("class_names", [](hid_t file) { raw::put_strings(file, "class_names", huge, 1, ""); },
                        {"data.h5:/class_names", "claims", "make it again"});
    check_claim_refused("class_names",
                        [](hid_t file) {
                            raw::put_strings(file, "class_names", huge, 1, "", {{1000}, deflated});
                        },
                        {"data.h5:/class_names", "claims", "make it again"});
    check_claim_refused("class_names",
                        [](hid_t file) { raw::put_strings(file, "class_names", huge << 10, 1 << 24, "", {{1}}); },
                        {"data.h5:/class_names", "claims more than 2^64 bytes"});
    check_claim_refused("train/labels",
                        [&](hid_t file) { raw::put(file, "train/labels", H5T_NATIVE_UINT8, {huge}, nothing); },
                        {"data.h5:/train/labels", "claims"});
    check_claim_refused("train/labels",
                        [&](hid_t file) {
                            raw::put(file, "train/labels", H5T_NATIVE_INT64, {huge, huge, huge}, nothing, {{1, 1, 1}});
                        },
                        {"data.h5:/train/labels", "claims more than 2^64 bytes"});
    check_claim_refused("train/images",
                        [&](hid_t file) {
                            raw::put(file, "train/images", H5T_NATIVE_UINT8, {2, 60'000, 10'000, 3}, nothing,
                                     {{1, 10, 10, 3}, deflated});
                        },
                        {"data.h5:/train/images", "claims 3600000000 bytes"});
}

TEST_CASE("chunks that claim more than the file holds are refused", "[io][h5_claims]")
{
    check_claim_refused(
        "train/images",
        [&](hid_t file)
        {
            // One chunk of 3.3 GB, of which the data set is the beginning.
            const hsize_t shape[4] = {2, 2, 2, 3}, most[4] = {H5S_UNLIMITED, H5S_UNLIMITED, 2, 3};
            const hsize_t chunk[4] = {20'000, 13'750, 2, 3};
            const hid_t space = H5Screate_simple(4, shape, most);
            const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
            H5Pset_chunk(creation, 4, chunk);
            H5Pset_deflate(creation, 9);
            H5Dclose(H5Dcreate2(file, "train/images", H5T_NATIVE_UINT16, space, H5P_DEFAULT, creation, H5P_DEFAULT));
            H5Pclose(creation);
            H5Sclose(space);
        },
        {"data.h5:/train/images", "claims 3300000000 bytes"});
}

TEST_CASE("texts of variable length that share one long one are counted", "[io][h5_claims]")
{
    check_claim_refused(
        "class_names",
        [&](hid_t file)
        {
            // In the file 5,000 references of 16 bytes, equal and compressed, to one text of 60 kB.
            const std::string text(60'000, 'x');
            const std::vector<const char*> one = {text.c_str()};
            const hid_t type = H5Tcopy(H5T_C_S1);
            H5Tset_size(type, H5T_VARIABLE);
            raw::put(file, "one", type, {1}, one);
            const hid_t dataset = H5Dopen2(file, "one", H5P_DEFAULT);
            const auto place = H5Dget_offset(dataset);
            H5Dclose(dataset);
            H5Fflush(file, H5F_SCOPE_GLOBAL);
            char name[1000];
            H5Fget_name(file, name, sizeof(name));
            const std::string reference = contents(name).substr(place, 16);
            raw::put(file, "class_names", type, {5'000}, std::vector<const char*>{}, {{5'000}, deflated});
            std::string references;
            for (int i = 0; i < 5'000; ++i)
            {
                references += reference;
            }
            std::string packed(references.size(), '\0');
            uLongf length = packed.size();
            REQUIRE(compress2(reinterpret_cast<Bytef*>(packed.data()), &length,
                              reinterpret_cast<const Bytef*>(references.data()), references.size(), 9) == Z_OK);
            const hid_t names = H5Dopen2(file, "class_names", H5P_DEFAULT);
            const hsize_t begin = 0;
            CHECK(H5Dwrite_chunk(names, H5P_DEFAULT, 0, &begin, length, packed.data()) >= 0);
            H5Dclose(names);
            H5Tclose(type);
        },
        {"data.h5:/class_names", "claims 30"});
}
