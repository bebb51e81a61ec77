#include <png.h>

#include <algorithm>
#include <csetjmp>

#include "io/picture_codecs.hpp"

namespace paws::io
{
namespace
{
/// libpng reports errors by a jump out of its functions. So what has a destructor lives here, outside of the functions
/// that the jumps leave (header and rows), which hold nothing but plain values.
class PngReader
{
public:
    PngReader(std::span<const std::uint8_t> bytes, const std::string& name) : bytes_(bytes), name_(name)
    {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        info_ = png_ ? png_create_info_struct(png_) : nullptr;
        if (!info_)
        {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            refuse_picture(name_, "out of memory");
        }
        png_set_read_fn(png_, this, on_read);
    }
    ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;

    PictureDecoder::Decoded read(std::vector<std::uint8_t>& pixels)
    {
        if (!header())
        {
            refuse_picture(name_, message_);
        }
        PictureDecoder::Decoded picture;
        picture.height = png_get_image_height(png_, info_);
        picture.width = png_get_image_width(png_, info_);
        require_sensible_size(picture.height, picture.width, name_);
        const std::size_t row_bytes = png_get_rowbytes(png_, info_);
        const auto room = room_for(picture.height * row_bytes, pixels);
        std::vector<png_bytep> row_starts;
        row_starts.reserve(picture.height);
        for (std::size_t row = 0; row < picture.height; ++row)
        {
            row_starts.push_back(room.data() + row * row_bytes);
        }
        if (!rows(row_starts.data()))
        {
            refuse_picture(name_, message_);
        }
        picture.pixels = room;
        return picture;
    }

private:
    bool header()
    {
        if (setjmp(png_jmpbuf(png_)) != 0)
        {
            return false;
        }
        png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
        png_read_info(png_, info_);
        png_set_strip_16(png_);
        png_set_palette_to_rgb(png_);
        png_set_gray_to_rgb(png_);
        png_set_strip_alpha(png_);
        png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
        return true;
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
            png_error(png, "it is cut off");
        }
        std::copy_n(reader.bytes_.begin(), count, out);
        reader.bytes_ = reader.bytes_.subspan(count);
    }

    std::span<const std::uint8_t> bytes_;
    const std::string& name_;
    std::string message_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
};
}  // namespace

PictureDecoder::Decoded decode_png(std::span<const std::uint8_t> bytes, const std::string& name,
                                   std::vector<std::uint8_t>& pixels)
{
    return PngReader(bytes, name).read(pixels);
}
}  // namespace paws::io
