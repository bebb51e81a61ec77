#include "io/torch/pickle_numpy.hpp"

#include <array>
#include <charconv>

#include "io/base/error.hpp"

namespace paws::io::pickle
{
namespace
{
// numpy._core is what numpy 2 calls numpy.core.
constexpr std::array<std::string_view, 6> array_globals = {
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy.core.numeric _frombuffer",
    "numpy._core.numeric _frombuffer",
    "numpy ndarray",
    "numpy dtype",
};

[[noreturn]] void refuse_array(const std::string& source, const char* what)
{
    throw Error(source + ": " + what + " where a numpy array was expected; download it again");
}

const Value& item(const Value& tuple, std::size_t i, const std::string& source)
{
    if (i >= tuple.items.size())
    {
        refuse_array(source, "has an incomplete description");
    }
    return *tuple.items[i];
}

bool is_call_of(const Value& value, std::string_view name)
{
    return value.kind == Kind::object && value.callee->text.ends_with(name);
}

const std::string& data_of(const Value& value, const std::string& source)
{
    if (value.kind != Kind::bytes)
    {
        refuse_array(source, "has no data");
    }
    return value.text;
}

std::string type_of(const Value& value, const std::string& source)
{
    if (!is_call_of(value, " dtype") || !item(*value.arguments, 0, source).is_string())
    {
        refuse_array(source, "has no element type");
    }
    return item(*value.arguments, 0, source).text;
}

std::size_t element_size(const std::string& type, const std::string& source)
{
    std::size_t size = 0;
    const char* end = type.data() + type.size();
    if (type.size() < 2 || std::from_chars(type.data() + 1, end, size).ptr != end || size < 1 || size > 16)
    {
        refuse_array(source, "has an element type that is not read here");
    }
    return size;
}

/// A matrix stored column after column, row after row.
std::string transposed(const std::string& bytes, std::size_t rows, std::size_t columns, std::size_t element)
{
    std::string out(bytes.size(), '\0');
    for (std::size_t row = 0; row < rows; ++row)
    {
        for (std::size_t column = 0; column < columns; ++column)
        {
            bytes.copy(out.data() + (row * columns + column) * element, element, (column * rows + row) * element);
        }
    }
    return out;
}
}  // namespace

std::span<const std::string_view> numpy_globals()
{
    return array_globals;
}

NumpyArray numpy_array(const Value& value, const std::string& source)
{
    const Value* shape = nullptr;
    const Value* type = nullptr;
    const Value* data = nullptr;
    bool columns_first = false;
    if (is_call_of(value, " _reconstruct") && value.state)
    {
        // The state: version, shape, element type, whether columns come first, data.
        shape = &item(*value.state, 1, source);
        type = &item(*value.state, 2, source);
        columns_first = item(*value.state, 3, source).integer != 0;
        data = &item(*value.state, 4, source);
    }
    else if (is_call_of(value, " _frombuffer"))
    {
        data = &item(*value.arguments, 0, source);
        type = &item(*value.arguments, 1, source);
        shape = &item(*value.arguments, 2, source);
        columns_first = item(*value.arguments, 3, source).is_string("F");
    }
    else
    {
        refuse_array(source, "has something else");
    }

    NumpyArray array{type_of(*type, source), {}, data_of(*data, source)};
    std::size_t left = array.bytes.size() / element_size(array.type, source);
    std::size_t expected = element_size(array.type, source);
    for (const Value* length : shape->items)
    {
        if (length->kind != Kind::integer || length->integer < 0 || static_cast<std::size_t>(length->integer) > left)
        {
            refuse_array(source, "has an impossible shape");
        }
        array.shape.push_back(static_cast<std::size_t>(length->integer));
        left /= std::max<std::size_t>(array.shape.back(), 1);
        expected *= array.shape.back();
    }
    if (expected != array.bytes.size())
    {
        refuse_array(source, "has data that do not match the shape");
    }
    if (columns_first && array.shape.size() > 1)
    {
        if (array.shape.size() > 2)
        {
            refuse_array(source, "has more than two dimensions in column order");
        }
        array.bytes = transposed(array.bytes, array.shape[0], array.shape[1], element_size(array.type, source));
    }
    return array;
}
}  // namespace paws::io::pickle
