#include "io/torch/zip_file.hpp"

#include <algorithm>

#include "io/base/error.hpp"
#include "io/base/inflated_size.hpp"
#include "io/files/input_path.hpp"

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
    std::string words = zip_error_strerror(&error);
    zip_error_fini(&error);
    return words;
}

[[noreturn]] void refuse_file(const std::string& path, const std::string& what)
{
    throw Error(path + ": " + what + "; it is cut off, damaged or not written by torch.save: take another copy");
}
/// Where the zip file ends: after its directory, the last one that fits, as torch.load finds it. The whole file's end
/// if there is none.
std::uint64_t end_of_zip(const std::filesystem::path& path)
{
    Descriptor file = open_file(path);
    const std::uint64_t size = std::filesystem::file_size(path);
    constexpr std::uint64_t record = 22, most_comment = 0xffff;
    constexpr std::string_view mark = "PK\x05\x06";
    std::string tail(std::min(size, record + most_comment), '\0');
    const std::uint64_t first = size - tail.size();
    file.seek(first);
    tail.resize(file.read(std::as_writable_bytes(std::span(tail))));
    const auto number = [&](std::size_t at, std::size_t width)
    {
        std::uint64_t value = 0;
        for (std::size_t i = width; i-- > 0;)
        {
            value = value << 8 | static_cast<unsigned char>(tail[at + i]);
        }
        return value;
    };
    for (auto at = tail.rfind(mark); at != std::string::npos;
         at = at == 0 ? std::string::npos : tail.rfind(mark, at - 1))
    {
        constexpr std::uint64_t unknown = 0xffffffff;
        if (at + record <= tail.size())
        {
            const std::uint64_t end = first + at + record + number(at + 20, 2);
            const std::uint64_t directory = number(at + 12, 4), place = number(at + 16, 4);
            if (end <= size && (place == unknown || directory == unknown || directory + place <= first + at))
            {
                return end;
            }
        }
    }
    return size;
}
}  // namespace

ZipReader::ZipReader(const std::filesystem::path& path) : path_(path.string())
{
    const std::uint64_t size = end_of_zip(path);
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* const source = zip_source_file_create(path.c_str(), 0, static_cast<zip_int64_t>(size), &error);
    archive_.reset(source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
    if (!archive_)
    {
        zip_source_free(source);
        std::string words = zip_error_strerror(&error);
        zip_error_fini(&error);
        refuse_file(path_, "is not a whole zip file (" + words + ")");
    }
    zip_error_fini(&error);
    std::uint64_t room = size;
    const auto count = zip_get_num_entries(archive_.get(), 0);
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
        add_entry(entry, room);
        room -= entry.comp_size;
    }
    if (!can_inflate(size, content_size_))
    {
        refuse_file(path_, "claims to hold " + std::to_string(content_size_) + " bytes in its " + std::to_string(size));
    }
}

/// `room`: bytes of the file that no other entry has.
void ZipReader::add_entry(const zip_stat_t& entry, std::uint64_t room)
{
    const std::string name = entry.name;
    if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' '; }))
    {
        refuse_file(path_, "has an entry with an impossible name");
    }
    const bool is_stored = entry.comp_method == ZIP_CM_STORE;
    if (entry.encryption_method != ZIP_EM_NONE || !(is_stored || entry.comp_method == ZIP_CM_DEFLATE))
    {
        refuse_file(path_, "has the entry '" + name + "', which is encrypted or compressed in a way not read here");
    }
    if (entry.comp_size > room || !sizes_.emplace(name, entry.size).second)
    {
        refuse_file(path_, "has the entry '" + name + "' twice, or overlapping others");
    }
    if (is_stored ? entry.size != entry.comp_size : !can_inflate(entry.comp_size, entry.size))
    {
        refuse_file(path_, "has the entry '" + name + "', which claims " + std::to_string(entry.size) +
                               " bytes where " + std::to_string(entry.comp_size) + " are stored");
    }
    // No sum overflows: each is at most 1032 times what the file has.
    content_size_ += entry.size;
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
