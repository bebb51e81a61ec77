#include "io/zip_file.hpp"

#include <algorithm>

#include "io/error.hpp"
#include "io/read_file.hpp"

namespace paws::io
{
namespace
{
struct EntryCloser
{
    void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

/// What an error number of zip_open means.
std::string words_of(int code)
{
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string words = zip_error_strerror(&error);
    zip_error_fini(&error);
    return words;
}

[[noreturn]] void refuse_file(const std::string& path, const std::string& what)
{
    throw Error(path + ": " + what + "; it is cut off, damaged or not written by torch.save: take another copy");
}
}  // namespace

ZipReader::ZipReader(const std::filesystem::path& path) : path_(path.string())
{
    require_file(path);
    file_size_ = std::filesystem::file_size(path);
    int code = 0;
    archive_.reset(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
    if (!archive_)
    {
        refuse_file(path_, "is no whole zip file (" + words_of(code) + ")");
    }
    const auto count = zip_get_num_entries(archive_.get(), 0);
    std::uint64_t sum = 0;
    for (zip_int64_t i = 0; i < count; ++i)
    {
        zip_stat_t entry;
        const zip_uint64_t wanted =
            ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
        if (zip_stat_index(archive_.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW, &entry) != 0 ||
            (entry.valid & wanted) != wanted)
        {
            refuse_file(path_, "has an entry that says nothing about itself");
        }
        const std::string_view name = entry.name;
        if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' '; }))
        {
            refuse_file(path_, "has an entry with an impossible name");
        }
        if (entry.comp_method != ZIP_CM_STORE || entry.encryption_method != ZIP_EM_NONE ||
            entry.size != entry.comp_size)
        {
            refuse_file(path_, std::string("has the compressed or encrypted entry '") + entry.name + "'");
        }
        if (entry.size > file_size_ - sum || !sizes_.emplace(entry.name, entry.size).second)
        {
            refuse_file(path_, std::string("has the entry '") + entry.name + "' twice, or overlapping others");
        }
        sum += entry.size;
    }
}

std::vector<std::byte> ZipReader::read(const std::string& name) const
{
    const auto found = sizes_.find(name);
    if (found == sizes_.end())
    {
        refuse_file(path_, "lacks its entry '" + name + "'");
    }
    const std::unique_ptr<zip_file_t, EntryCloser> entry(zip_fopen(archive_.get(), name.c_str(), ZIP_FL_ENC_RAW));
    std::vector<std::byte> bytes(found->second);
    // The checksum is compared where the end is reached, which is where one byte more is asked for.
    std::byte beyond{};
    if (!entry || zip_fread(entry.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()) ||
        zip_fread(entry.get(), &beyond, 1) != 0)
    {
        const char* const reason = entry ? zip_file_strerror(entry.get()) : zip_strerror(archive_.get());
        refuse_file(path_, "has the damaged entry '" + name + "' (" + reason + ")");
    }
    return bytes;
}

ZipWriter::ZipWriter(const std::filesystem::path& path) : path_(path), file_(path)
{
    int code = 0;
    archive_.reset(zip_open(file_.temporary().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    if (!archive_)
    {
        refuse_write(path_, SystemError(path_.string(), "zip_open: " + words_of(code)));
    }
}

void ZipWriter::refuse() const
{
    refuse_write(path_, SystemError(path_.string(), std::string("libzip: ") + zip_strerror(archive_.get())));
}

void ZipWriter::add(const std::string& name, std::string_view bytes, std::uint64_t alignment)
{
    zip_source_t* const source = zip_source_buffer(archive_.get(), bytes.data(), bytes.size(), 0);
    const auto added = source == nullptr ? -1 : zip_file_add(archive_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (added < 0)
    {
        zip_source_free(source);
        refuse();
    }
    // In front of the bytes: a header of fixed size, the name, and extra fields. libzip adds one for large entries.
    constexpr std::uint64_t header = 30, field_header = 4, large_field = 20, largest_small = 0xffffffff;
    const std::uint64_t before =
        end_ + header + name.size() + field_header + (bytes.size() >= largest_small ? large_field : 0);
    const std::uint64_t padding = (alignment - before % alignment) % alignment;
    // As torch.save calls the field that it pads with.
    constexpr zip_uint16_t field = 0x4246;
    const std::vector<zip_uint8_t> zeros(padding + 1, 'Z');
    const auto index = static_cast<zip_uint64_t>(added);
    constexpr zip_uint16_t new_year_of_1980 = 1 << 5 | 1;
    if (zip_set_file_compression(archive_.get(), index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_extra_field_set(archive_.get(), index, field, ZIP_EXTRA_FIELD_NEW, zeros.data(),
                                 static_cast<zip_uint16_t>(padding), ZIP_FL_LOCAL) != 0 ||
        zip_file_set_dostime(archive_.get(), index, 0, new_year_of_1980, 0) != 0)
    {
        refuse();
    }
    end_ = before + padding + bytes.size();
}

void ZipWriter::save()
{
    if (zip_close(archive_.get()) != 0)
    {
        refuse();
    }
    // It has gone with zip_close.
    static_cast<void>(archive_.release());
    try
    {
        file_.commit();
    }
    catch (const SystemError& error)
    {
        refuse_write(path_, error);
    }
}
}  // namespace paws::io
