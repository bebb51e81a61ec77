#include <png.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csetjmp>

#include "io/image/image_codecs.hpp"

namespace paws::io
{
namespace
{
constexpr const char* cut_off = "it is cut off";

/// Whether the file ends within a chunk (its checksum aside), those after the pixels included. Further images of an
/// animation, which begin with fcTL, are nothing to us.
bool ends_within_chunk(std::span<const std::uint8_t> bytes)
{
    constexpr std::size_t signature = 8;
    constexpr std::size_t length_and_kind = 8;
    constexpr std::size_t checksum = 4;
    bytes = bytes.subspan(signature);
    bool has_pixels = false;
    while (bytes.size() >= length_and_kind)
    {
        const std::size_t length = png_get_uint_32(bytes.data());
        const auto kind = bytes.subspan(4, 4);
        const auto is = [&](const char* name) { return std::equal(kind.begin(), kind.end(), name); };
        const bool is_chunk = std::all_of(kind.begin(), kind.end(), [](int byte) { return std::isalnum(byte) != 0; });
        if (!is_chunk || is("IEND") || (has_pixels && is("fcTL")))
        {
            return false;
        }
        has_pixels = has_pixels || is("IDAT");
        if (length > bytes.size() - length_and_kind)
        {
            return true;
        }
        bytes = bytes.subspan(std::min(bytes.size(), length_and_kind + length + checksum));
    }
    return false;
}

/// libpng reports errors by a jump out of its functions. So what has a destructor lives here, outside of the functions
/// that the jumps leave (those that call setjmp), which hold nothing but plain values.
class PngReader
{
public:
    PngReader(std::span<const std::uint8_t> bytes, const std::string& name) : file_(bytes), bytes_(bytes), name_(name)
    {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        info_ = png_ ? png_create_info_struct(png_) : nullptr;
        if (!info_)
        {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            refuse_image(name_, "out of memory");
        }
        png_set_read_fn(png_, this, on_read);
    }
    ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;

    ImageDecoder::Decoded read(std::vector<std::uint8_t>& pixels)
    {
        if (!header())
        {
            refuse_image(name_, message_);
        }
        ImageDecoder::Decoded image;
        image.height = png_get_image_height(png_, info_);
        image.width = png_get_image_width(png_, info_);
        require_sensible_size(image.height, image.width, name_);
        require_possible_size(image.height, image.width);
        if (!prepare_rows())
        {
            refuse_image(name_, message_);
        }
        const std::size_t row_bytes = png_get_rowbytes(png_, info_);
        const auto room = room_for(image.height * row_bytes, pixels);
        std::vector<png_bytep> row_starts;
        row_starts.reserve(image.height);
        for (std::size_t row = 0; row < image.height; ++row)
        {
            row_starts.push_back(room.data() + row * row_bytes);
        }
        if (!rows(row_starts.data()))
        {
            refuse_image(name_, message_);
        }
        if (ends_within_chunk(file_))
        {
            refuse_image(name_, cut_off);
        }
        image.pixels = room;
        return image;
    }

private:
    /// Deflate makes no more than 1032 bytes of one.
    void require_possible_size(std::size_t height, std::size_t width) const
    {
        const std::size_t bits = std::size_t{png_get_bit_depth(png_, info_)} * png_get_channels(png_, info_);
        if (height * width * bits / 8 / 1032 > file_.size())
        {
            refuse_claim(height, width, name_);
        }
    }

    // The steps that libpng may jump out of.

    bool header()
    {
        if (setjmp(png_jmpbuf(png_)) != 0)
        {
            return false;
        }
        png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // ours come next
        png_read_info(png_, info_);
        return true;
    }

    bool prepare_rows()
    {
        if (setjmp(png_jmpbuf(png_)) != 0)
        {
            return false;
        }
        if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE)
        {
            complete_palette();
        }
        png_set_strip_16(png_);
        png_set_palette_to_rgb(png_);
        png_set_gray_to_rgb(png_);
        png_set_strip_alpha(png_);
        png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
        return true;
    }

    /// Pixels may be of colours that the palette does not have: grey, as for Pillow.
    void complete_palette()
    {
        png_colorp given = nullptr;
        int given_count = 0;
        png_get_PLTE(png_, info_, &given, &given_count);
        const int count = 1 << png_get_bit_depth(png_, info_);
        std::array<png_color, PNG_MAX_PALETTE_LENGTH> colors;
        for (int i = 0; i < count; ++i)
        {
            const auto grey = static_cast<png_byte>(i);
            colors[static_cast<std::size_t>(i)] = i < given_count ? given[i] : png_color{grey, grey, grey};
        }
        png_set_PLTE(png_, info_, colors.data(), count);
    }

    bool rows(png_bytepp row_starts)
    {
        if (setjmp(png_jmpbuf(png_)) != 0)
        {
            return false;
        }
        png_read_image(png_, row_starts);
        return true;
    }

    [[noreturn]] static void on_error(png_structp png, png_const_charp message)
    {
        static_cast<PngReader*>(png_get_error_ptr(png))->message_ = message;
        png_longjmp(png, 1);
    }

    static void on_warning(png_structp, png_const_charp) {}

    static void on_read(png_structp png, png_bytep out, std::size_t count)
    {
        auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
        if (count > reader.bytes_.size())
        {
            png_error(png, cut_off);
        }
        std::copy_n(reader.bytes_.begin(), count, out);
        reader.bytes_ = reader.bytes_.subspan(count);
    }

    std::span<const std::uint8_t> file_;
    std::span<const std::uint8_t> bytes_;  ///< what is still to be read of it
    const std::string& name_;
    std::string message_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
};
}  // namespace

ImageDecoder::Decoded decode_png(std::span<const std::uint8_t> bytes, const std::string& name,
                                 std::vector<std::uint8_t>& pixels)
{
    return PngReader(bytes, name).read(pixels);
}
}  // namespace paws::io
