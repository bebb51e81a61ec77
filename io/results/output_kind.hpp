#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "io/base/error.hpp"
#include "io/hdf5/format.hpp"

namespace paws::io
{
/// Of a file that may have been of the kind, which its damage hides.
class DamagedOutput : public Error
{
public:
    using Error::Error;
};

/// A kind of file that commands write. What is at its place may only go if it is of the same kind: anything else was
/// named by mistake.
struct OutputKind
{
    std::string name;  ///< "a packed data set"
    /// Of a regular file that is not empty, of which it reads a little. May throw Error, which counts as no, and
    /// DamagedOutput.
    std::function<bool(const std::filesystem::path&)> fits;
    /// A text: it may as well go to a character device, a FIFO or a stream (see TextOutput).
    bool is_text = false;
};

/// HDF5 of one of our formats; also a damaged one, as far as its beginning shows.
OutputKind hdf5_output(const Format& format);
/// A checkpoint of torch.save: no TorchScript, and no other zip file.
OutputKind torch_output();
/// A PNG that write_png made.
OutputKind png_output();
/// A list of positions, as write_subset writes it.
OutputKind positions_output();
/// The file of a FolderLock.
OutputKind lock_output();
/// A text whose first line that is not empty begins with one of the characters or words; a byte-order mark and quotes
/// before them are passed over.
OutputKind text_beginning_with(const std::string& name, const std::vector<std::string>& beginnings);

/// The first bytes of a file, `most` or as many as it has. Throws SystemError.
std::string beginning_of_file(const std::filesystem::path& path, std::size_t most);
}  // namespace paws::io
