// Decodes the files that standard input names, one a line, with one decoder. For each it writes "ok HEIGHT WIDTH" and
// the pixels, or "refused REASON".

#include <iostream>
#include <string>

#include "io/image/image.hpp"
#include "io/image/stored_image.hpp"

int main()
{
    std::ios::sync_with_stdio(false);
    paws::io::ImageDecoder decoder;
    for (std::string path; std::getline(std::cin, path);)
    {
        try
        {
            const auto bytes = paws::io::read_image_file(path, path);
            const auto image = decoder.decode(bytes, path);
            std::cout << "ok " << image.height << ' ' << image.width << '\n';
            std::cout.write(reinterpret_cast<const char*>(image.pixels.data()),
                            static_cast<std::streamsize>(image.pixels.size()));
        }
        catch (const paws::io::ImageError& error)
        {
            std::cout << "refused " << error.reason() << '\n';
        }
        std::cout.flush();
    }
    return std::cout.good() ? 0 : 1;
}
