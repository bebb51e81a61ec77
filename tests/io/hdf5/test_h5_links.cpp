#include "io/checkpoint/checkpoint_file.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/results/embeddings_file.hpp"
#include "io/results/inspect.hpp"
#include "tests/io/raw_h5.hpp"

using namespace paws::test;
using namespace paws::io;
namespace fs = std::filesystem;

namespace
{
/// Refused by whatever reads data sets, embeddings, checkpoints.
void check_refused_everywhere(const std::function<void(hid_t)>& fill, std::initializer_list<std::string> parts)
{
    const TemporaryFolder folder;
    const auto data = raw::make(folder / "data.h5", "paws-dataset", fill);
    check_refused([&] { DatasetFile{data}; }, parts);
    check_refused([&] { describe(data); }, parts);
    const auto embeddings = raw::make(folder / "emb.h5", "paws-embeddings", fill);
    check_refused([&] { EmbeddingsFile{embeddings}; }, parts);
    check_refused([&] { describe(embeddings); }, parts);
    const auto checkpoint = raw::make(folder / "ckpt.h5", "paws-checkpoint", fill);
    check_refused([&] { read_checkpoint(checkpoint); }, parts);
    check_refused([&] { describe(checkpoint); }, parts);
}

void put_external_link(hid_t file, const std::string& path)
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    CHECK(H5Lcreate_external("other.h5", "/secret", file, path.c_str(), links, H5P_DEFAULT) >= 0);
    H5Pclose(links);
}

void put_group(hid_t file, const std::string& path)
{
    H5Gclose(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

void link_again(hid_t file, const std::string& path, const std::string& other_name)
{
    CHECK(H5Lcreate_hard(file, path.c_str(), file, other_name.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

void put_filtered(hid_t file, const std::string& path, const std::function<void(hid_t)>& filters)
{
    raw::put(file, path, H5T_NATIVE_UINT8, {2, 2, 2, 3}, std::vector<std::uint8_t>(24, 7), {{2, 2, 2, 3}, filters});
}
}  // namespace

TEST_CASE("links out of a file are refused wherever they are", "[io][h5_links]")
{
    for (const std::string path : {"train", "train/labels", "optimizer/momentum", "a/b/c/d", "backbone"})
    {
        check_refused_everywhere([&](hid_t file) { put_external_link(file, path); },
                                 {".h5:/" + path, "external link", "h5copy"});
    }
    // Through another name of the group that it is in.
    check_refused_everywhere(
        [](hid_t file)
        {
            put_external_link(file, "b/secret");
            link_again(file, "b", "a");
        },
        {".h5:/a/secret", "external link"});
}

TEST_CASE("links of a kind that users define are refused", "[io][h5_links]")
{
    H5L_class_t kind{};
    kind.version = H5L_LINK_CLASS_T_VERS;
    kind.id = static_cast<H5L_type_t>(200);
    kind.comment = "test";
    kind.trav_func = [](const char*, hid_t, const void*, size_t, hid_t, hid_t) -> hid_t { return -1; };
    REQUIRE(H5Lregister(&kind) >= 0);
    check_refused_everywhere([&](hid_t file)
                             { H5Lcreate_ud(file, "train", kind.id, "x", 1, H5P_DEFAULT, H5P_DEFAULT); },
                             {".h5:/train", "users define"});
    H5Lunregister(kind.id);
}

TEST_CASE("elements that are in other files are refused", "[io][h5_links]")
{
    for (const std::string path : {"train/images", "labels", "encoder/a"})
    {
        check_refused_everywhere(
            [&](hid_t file)
            {
                raw::put(file, path, H5T_NATIVE_UINT8, {2, 2, 2, 3}, std::vector<std::uint8_t>{},
                         {{}, [](hid_t creation) { H5Pset_external(creation, "/etc/passwd", 0, 24); }});
            },
            {".h5:/" + path, "external storage", "h5repack"});
        check_refused_everywhere(
            [&](hid_t file)
            {
                raw::put(file, path, H5T_NATIVE_UINT8, {24}, std::vector<std::uint8_t>{},
                         {{},
                          [](hid_t creation)
                          {
                              const hsize_t length = 24;
                              const hid_t space = H5Screate_simple(1, &length, nullptr);
                              H5Pset_virtual(creation, space, "other.h5", "/a", space);
                              H5Sclose(space);
                          }});
            },
            {".h5:/" + path, "virtual data set", "h5repack"});
    }
}

TEST_CASE("compression that needs a plug-in, or more than one, is refused", "[io][h5_links]")
{
    H5Z_class2_t filter{};
    filter.version = H5Z_CLASS_T_VERS;
    filter.id = 300;
    filter.encoder_present = filter.decoder_present = 1;
    filter.name = "made up";
    filter.filter = [](unsigned, std::size_t, const unsigned[], std::size_t bytes, std::size_t*, void**)
    { return bytes; };
    const TemporaryFolder folder;
    REQUIRE(H5Zregister(&filter) >= 0);
    const auto make = [&](const std::string& name, const std::function<void(hid_t)>& filters)
    {
        return raw::make(folder / name, "paws-dataset",
                         [&](hid_t file)
                         {
                             raw::put_dataset(file, "train/images");
                             put_filtered(file, "train/images", filters);
                         });
    };
    const auto foreign = make("plugin.h5", [](hid_t c) { H5Pset_filter(c, 300, H5Z_FLAG_MANDATORY, 0, nullptr); });
    H5Zunregister(300);
    check_refused([&] { DatasetFile{foreign}; }, {"plugin.h5:/train/images", "filter 300 (made up)", "plug-in"});
    check_refused([&] { describe(foreign); }, {"plugin.h5:/train/images", "filter 300 (made up)", "plug-in"});
    const auto twice = make("twice.h5",
                            [](hid_t creation)
                            {
                                H5Pset_deflate(creation, 9);
                                const unsigned level = 9;
                                H5Pset_filter(creation, H5Z_FILTER_DEFLATE, H5Z_FLAG_MANDATORY, 1, &level);
                            });
    check_refused([&] { DatasetFile{twice}; }, {"twice.h5:/train/images", "more than once"});
    const auto usual = make("usual.h5",
                            [](hid_t creation)
                            {
                                H5Pset_shuffle(creation);
                                H5Pset_deflate(creation, 9);
                                H5Pset_fletcher32(creation);
                            });
    CHECK(DatasetFile(usual).read("train").pixels == std::vector<std::uint8_t>(24, 7));
}

TEST_CASE("groups that no walk comes to the end of are refused", "[io][h5_links]")
{
    check_refused_everywhere(
        [](hid_t file)
        {
            put_group(file, "encoder");
            link_again(file, "encoder", "encoder/encoder");
        },
        {".h5:/encoder/encoder", "itself in"});
    check_refused_everywhere([](hid_t file) { link_again(file, "/", "root"); }, {".h5:/root", "itself in"});
    check_refused_everywhere(
        [](hid_t file)
        {
            put_group(file, "a");
            put_group(file, "a/a");
            link_again(file, "a/a", "a/b");
        },
        {".h5:/a/b", "another name"});
    std::string path;
    check_refused_everywhere(
        [&](hid_t file)
        {
            path.clear();
            for (int level = 0; level < 120; ++level)
            {
                path += "/a";
                put_group(file, path);
            }
        },
        {".h5:/a/a/", "100 others"});
}

TEST_CASE("names within a file are as good as others", "[io][h5_links]")
{
    const TemporaryFolder folder;
    const auto path = raw::make(folder / "data.h5", "paws-dataset",
                                [](hid_t file)
                                {
                                    raw::put_dataset(file);
                                    link_again(file, "train", "val");
                                    H5Lcreate_soft("/train", file, "test", H5P_DEFAULT, H5P_DEFAULT);
                                    H5Lcreate_soft("/nowhere", file, "dangling", H5P_DEFAULT, H5P_DEFAULT);
                                    const hid_t type = H5Tcopy(H5T_NATIVE_INT64);
                                    H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
                                    H5Tclose(type);
                                });
    const DatasetFile file(path);
    CHECK(file.split_names() == std::vector<std::string>{"test", "train", "val"});
    CHECK(file.read("test").pixels == std::vector<std::uint8_t>(24, 7));
    CHECK(file.read("val").names == std::vector<std::string>{"x", "y"});
}

TEST_CASE("soft links in a circle are refused by name", "[io][h5_links]")
{
    const TemporaryFolder folder;
    const auto path = raw::make(folder / "data.h5", "paws-dataset",
                                [](hid_t file)
                                {
                                    H5Lcreate_soft("/test", file, "train", H5P_DEFAULT, H5P_DEFAULT);
                                    H5Lcreate_soft("/train", file, "test", H5P_DEFAULT, H5P_DEFAULT);
                                });
    check_refused([&] { h5::File::open(path).has_dataset("train/images"); },
                  {"data.h5:/train", "is a link that cannot be followed", "in its place"});
}
