#include "io/results/inspect_torch.hpp"

#include <sstream>

#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/torch/torch_file.hpp"

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

struct Sum
{
    std::size_t tensors = 0, numbers = 0, bytes = 0;

    void add(const TorchValue& value)
    {
        if (value.kind == Kind::tensor)
        {
            ++tensors;
            numbers += value.tensor.bytes.size() / element_size(value.tensor.type);
            bytes += value.tensor.bytes.size();
        }
        for (const auto& item : value.items)
        {
            add(item);
        }
    }
};

std::string in_words(const TorchValue& value)
{
    constexpr std::size_t most_letters = 60;
    std::ostringstream text;
    switch (value.kind)
    {
        case Kind::none:
            return "None";
        case Kind::boolean:
            return value.integer != 0 ? "True" : "False";
        case Kind::integer:
            return std::to_string(value.integer);
        case Kind::real:
            text << value.real;
            return text.str();
        case Kind::text:
            return value.text.size() <= most_letters && value.text.find('\n') == std::string::npos
                       ? std::string("'").append(printable(value.text)).append("'")
                       : std::to_string(value.text.size()) + " bytes of text";
        default:
            break;
    }
    Sum sum;
    sum.add(value);
    if (value.kind != Kind::tensor)
    {
        text << value.items.size() << (value.items.size() == 1 ? " entry, " : " entries, ");
    }
    text << plural(sum.tensors, "tensor") << ", " << plural(sum.numbers, "number") << ", " << plural(sum.bytes, "byte");
    return text.str();
}
}  // namespace

std::string describe_torch(const std::filesystem::path& path)
{
    const TorchValue root = read_torch_file(path);
    std::ostringstream text;
    text << printable(path.string()) << ": file of PyTorch\n";
    const bool is_state_dict = !root.items.empty() && root.items.front().kind == Kind::tensor;
    if (!root.is_dict() || is_state_dict)
    {
        text << in_words(root) << "\n";
    }
    for (std::size_t i = 0; root.is_dict() && !is_state_dict && i < root.keys.size(); ++i)
    {
        text << (root.keys[i].kind == Kind::text ? printable(root.keys[i].text) : in_words(root.keys[i])) << ": "
             << in_words(root.items[i]) << "\n";
    }
    text << (is_zip_torch_file(path) ? "whole: all checksums match\n"
                                     : "readable; this old format of PyTorch has no checksums\n");
    return text.str();
}
}  // namespace paws::io
