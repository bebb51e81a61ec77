#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <stdexcept>

// Needs the declarations of <cstdio>.
#include <jpeglib.h>

#include <jerror.h>

#include "io/image/image_codecs.hpp"

namespace paws::io
{
namespace
{
/// No file has so many, one that is made to keep a reader busy has: every scan of a progressive file takes as long as
/// a pass over all of the image.
constexpr int most_scans = 500;

/// What the library is given at a time, as much as by Pillow: how far it has read ahead of the last row's bytes decides
/// whether a file without its end is good or cut off.
constexpr std::size_t block_size = std::size_t{1} << 16;

/// a b / 255, rounded.
unsigned scaled(unsigned a, unsigned b)
{
    const unsigned product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/// CMYK as Adobe's programs store it in JPEG, where 255 is no ink, to RGB.
void rgb_of_inverted_cmyk(std::span<const std::uint8_t> cmyk, std::span<std::uint8_t> rgb)
{
    std::size_t to = 0;
    for (std::size_t i = 0; i < cmyk.size(); i += 4)
    {
        const unsigned light = cmyk[i + 3];
        for (std::size_t channel = 0; channel < 3; ++channel)
        {
            rgb[to++] = static_cast<std::uint8_t>(light - scaled(255U - cmyk[i + channel], light));
        }
    }
}

/// libjpeg-turbo reports errors by a jump out of its functions. So what has a destructor lives here, outside of the
/// functions that the jumps leave (those that call setjmp), which hold nothing but plain values.
///
/// An image is good when all its rows come out without running out of input and without an error of the library's, as
/// for Pillow. Warnings are none: files of real collections have bytes between markers, markers that are missing and
/// unknown versions. What is left to read after the last row, the end's marker, may be missing, but not be wrong.
class JpegReader
{
public:
    JpegReader(std::span<const std::uint8_t> bytes, const std::string& name)
        : name_(name), size_(bytes.size()), left_(bytes.size())
    {
        info_.err = jpeg_std_error(&errors_);
        info_.client_data = this;
        errors_.error_exit = on_error;
        errors_.emit_message = [](j_common_ptr, int) {};
        source_.next_input_byte = bytes.data();
        source_.init_source = [](j_decompress_ptr) {};
        source_.fill_input_buffer = [](j_decompress_ptr) -> boolean { return FALSE; };
        source_.skip_input_data = skip;
        source_.resync_to_restart = jpeg_resync_to_restart;
        source_.term_source = [](j_decompress_ptr) {};
        progress_.progress_monitor = limit_scans;
    }
    // A decompressor keeps an image's tables for the next one, which would be decoded with them where its own are
    // missing: each image has a decompressor of its own.
    ~JpegReader() { jpeg_destroy_decompress(&info_); }
    JpegReader(const JpegReader&) = delete;
    JpegReader& operator=(const JpegReader&) = delete;

    void read_header()
    {
        require(find_image());
        if (info_.num_components != 1 && info_.num_components != 3 && info_.num_components != 4)
        {
            refuse_image(name_, "it has " + std::to_string(info_.num_components) + " components, not 1, 3 or 4");
        }
        require_sensible_size(height(), width(), name_);
        std::size_t blocks = 0;
        for (int i = 0; i < info_.num_components; ++i)
        {
            blocks += std::size_t{info_.comp_info[i].width_in_blocks} * info_.comp_info[i].height_in_blocks;
        }
        // Huffman codes take a bit a block at least. Pillow fills up with grey what a misplaced marker ends early; so
        // do we, while that takes little memory.
        constexpr std::size_t small = std::size_t{1} << 25;
        if (info_.arith_code == FALSE && height() * width() > small && blocks / 8 > size_)
        {
            refuse_claim(height(), width(), name_);
        }
    }

    std::size_t height() const { return info_.image_height; }
    std::size_t width() const { return info_.image_width; }
    bool is_cmyk() const { return info_.num_components == 4; }

    /// Whether the colours have as many pixels along both sides. libjpeg-turbo reduces those less than the luma that
    /// were sampled more coarsely, so that they keep as many pixels, but cannot do so one way alone.
    bool keeps_colours() const
    {
        for (int i = 0; i < info_.num_components; ++i)
        {
            const jpeg_component_info& component = info_.comp_info[i];
            if (component.h_samp_factor * info_.max_v_samp_factor != component.v_samp_factor * info_.max_h_samp_factor)
            {
                return false;
            }
        }
        return true;
    }

    /// RGB, or CMYK as the file has it.
    void start(int reduction)
    {
        info_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
        info_.scale_num = 1;
        info_.scale_denom = static_cast<unsigned>(reduction);
        require(start_decoding());
    }
    std::size_t rows() const { return info_.output_height; }
    std::size_t columns() const { return info_.output_width; }

    void decode(std::span<std::uint8_t> pixels) { require(decode_rows(pixels.data(), pixels.size() / rows())); }

private:
    void require(bool good) const
    {
        if (!good)
        {
            refuse_image(name_, reason_);
        }
    }

    // The three steps that the library may jump out of.

    bool find_image()
    {
        if (setjmp(jump_) != 0)
        {
            return false;
        }
        jpeg_create_decompress(&info_);
        info_.src = &source_;
        info_.progress = &progress_;
        while (true)
        {
            const int found = jpeg_read_header(&info_, FALSE);
            if (found == JPEG_HEADER_OK)
            {
                return true;
            }
            // Tables may come before an image in a stream of their own.
            if (found == JPEG_SUSPENDED && !next_block())
            {
                return cut_off();
            }
        }
    }

    bool start_decoding()
    {
        if (setjmp(jump_) != 0)
        {
            return false;
        }
        // Arithmetic decoding cannot wait for the next block.
        while (info_.arith_code != FALSE && next_block())
        {
        }
        while (jpeg_start_decompress(&info_) == FALSE)
        {
            if (!next_block())
            {
                return cut_off();
            }
        }
        return true;
    }

    bool decode_rows(std::uint8_t* pixels, std::size_t row_bytes)
    {
        if (setjmp(jump_) != 0)
        {
            return false;
        }
        while (info_.output_scanline < info_.output_height)
        {
            std::array<JSAMPROW, 8> rows;
            const auto count = std::min<JDIMENSION>(info_.output_height - info_.output_scanline, rows.size());
            for (JDIMENSION i = 0; i < count; ++i)
            {
                rows[i] = pixels + (info_.output_scanline + i) * row_bytes;
            }
            if (jpeg_read_scanlines(&info_, rows.data(), count) == 0 && !next_block())
            {
                return cut_off();
            }
        }
        jpeg_finish_decompress(&info_);
        return true;
    }

    /// Lets the library read on where it stopped for want of bytes; false where the file ends.
    bool next_block()
    {
        const std::size_t more = std::min(block_size, left_);
        left_ -= more;
        source_.bytes_in_buffer += more;
        return more > 0;
    }

    bool cut_off()
    {
        reason_ = "it is cut off";
        return false;
    }

    [[noreturn]] static void on_error(j_common_ptr info)
    {
        auto& reader = *static_cast<JpegReader*>(info->client_data);
        if (info->err->msg_code == JERR_CANT_SUSPEND)
        {
            reader.cut_off();
        }
        else
        {
            info->err->format_message(info, reader.message_.data());
            reader.reason_ = reader.message_.data();
        }
        std::longjmp(reader.jump_, 1);
    }

    static void skip(j_decompress_ptr info, long count)
    {
        auto& reader = *static_cast<JpegReader*>(info->client_data);
        jpeg_source_mgr& source = reader.source_;
        const auto wanted = static_cast<std::size_t>(std::max(count, 0L));
        while (wanted > source.bytes_in_buffer && reader.next_block())
        {
        }
        const std::size_t skipped = std::min(wanted, source.bytes_in_buffer);
        source.next_input_byte += skipped;
        source.bytes_in_buffer -= skipped;
    }

    static void limit_scans(j_common_ptr common)
    {
        const auto* info = reinterpret_cast<j_decompress_ptr>(common);
        auto& reader = *static_cast<JpegReader*>(common->client_data);
        if (info->input_scan_number > most_scans)
        {
            reader.reason_ = "it has more than 500 scans";
            std::longjmp(reader.jump_, 1);
        }
    }

    const std::string& name_;
    std::size_t size_;  ///< of the file
    std::size_t left_;  ///< what the library has not been given of it
    jpeg_decompress_struct info_{};
    jpeg_error_mgr errors_{};
    jpeg_source_mgr source_{};
    jpeg_progress_mgr progress_{};
    std::jmp_buf jump_{};
    std::array<char, JMSG_LENGTH_MAX> message_{};
    const char* reason_ = "";
};

}  // namespace

ImageDecoder::Decoded decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                                  const ImageDecoder::ChooseReduction& choose, std::vector<std::uint8_t>& cmyk,
                                  std::vector<std::uint8_t>& pixels)
{
    JpegReader reader(bytes, name);
    reader.read_header();
    ImageDecoder::Decoded image;
    image.height = reader.height();
    image.width = reader.width();
    image.reduction = choose && reader.keeps_colours() ? choose(image.height, image.width) : 1;
    if (image.reduction != 1 && image.reduction != 2 && image.reduction != 4 && image.reduction != 8)
    {
        throw std::invalid_argument("images are reduced by 1, 2, 4 or 8, not by " + std::to_string(image.reduction));
    }
    reader.start(image.reduction);
    const std::size_t count = reader.rows() * reader.columns();
    const auto rgb = room_for(count * 3, pixels);
    const auto decoded = reader.is_cmyk() ? room_for(count * 4, cmyk) : rgb;
    reader.decode(decoded);
    if (reader.is_cmyk())
    {
        rgb_of_inverted_cmyk(decoded, rgb);
    }
    image.pixels = rgb;
    return image;
}
}  // namespace paws::io
