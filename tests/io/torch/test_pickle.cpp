#include <array>

#include "io/torch/pickle.hpp"
#include "io/torch/pickle_numpy.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
namespace pickle = paws::io::pickle;
using namespace std::string_literals;

namespace
{
constexpr std::array<std::string_view, 1> allowed = {"shop item"};

pickle::Document read_pickle(const std::string& instructions)
{
    return pickle::read("\x80\x02"s + instructions, allowed, "some.pickle");
}

void refuse_pickle(const std::string& instructions, const std::string& part)
{
    check_refused([&] { read_pickle(instructions); }, {"some.pickle", part});
}
}  // namespace

TEST_CASE("scalars of a pickle are read", "[io]")
{
    CHECK(read_pickle("N.").root().kind == pickle::Kind::none);
    CHECK(read_pickle("\x88.").root().integer == 1);
    CHECK(read_pickle("\x89.").root().kind == pickle::Kind::boolean);
    CHECK(read_pickle("K\xff.").root().integer == 255);
    CHECK(read_pickle("M\x01\x02.").root().integer == 0x0201);
    CHECK(read_pickle("J\xfe\xff\xff\xff.").root().integer == -2);
    CHECK(read_pickle("\x8a\x00."s).root().integer == 0);
    CHECK(read_pickle("\x8a\x01\x80.").root().integer == -128);
    CHECK(read_pickle("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.").root().integer == 0x7fffffffffffffff);
    CHECK(read_pickle("G\xbf\xe0\x00\x00\x00\x00\x00\x00."s).root().real == -0.5);
    CHECK(read_pickle("U\x02hi.").root().is_string("hi"));
    CHECK(read_pickle("U\x02hi.").root().kind == pickle::Kind::bytes);
    CHECK(read_pickle("T\x02\x00\x00\x00hi."s).root().is_string("hi"));
    CHECK(read_pickle("B\x02\x00\x00\x00hi."s).root().is_string("hi"));
    CHECK(read_pickle("C\x02hi.").root().kind == pickle::Kind::bytes);
    CHECK(read_pickle("\x8e\x02\x00\x00\x00\x00\x00\x00\x00hi."s).root().is_string("hi"));
    CHECK(read_pickle("\x96\x02\x00\x00\x00\x00\x00\x00\x00hi."s).root().kind == pickle::Kind::bytes);
    CHECK(read_pickle("X\x02\x00\x00\x00hi."s).root().kind == pickle::Kind::text);
    CHECK(read_pickle("\x8c\x02hi.").root().is_string("hi"));
    CHECK(read_pickle("\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi."s).root().is_string("hi"));
}

TEST_CASE("lists, tuples and dicts of a pickle are read", "[io]")
{
    const auto list = read_pickle("](K\x01K\x02"s + "eK\x03"s + "a.");
    REQUIRE(list.root().kind == pickle::Kind::list);
    REQUIRE(list.root().items.size() == 3);
    CHECK(list.root().items[2]->integer == 3);
    CHECK(read_pickle(").").root().items.empty());
    CHECK(read_pickle("(K\x01K\x02t.").root().items.size() == 2);
    const auto three = read_pickle("K\x01K\x02K\x03\x87.");
    CHECK(three.root().kind == pickle::Kind::tuple);
    CHECK(three.root().items[0]->integer == 1);
    CHECK(three.root().items[2]->integer == 3);
    const auto dict = read_pickle("}(U\x01"s + "aK\x01U\x01"s + "bK\x02uU\x01"s + "aK\x03s.");
    REQUIRE(dict.root().kind == pickle::Kind::dict);
    CHECK(dict.root().find("a")->integer == 3);
    CHECK(dict.root().find("b")->integer == 2);
    CHECK(dict.root().find("c") == nullptr);
}

TEST_CASE("a pickle may use its values again, and take them back", "[io]")
{
    const auto shared = read_pickle("]q\x05K\x01"s + "ah\x05\x86.");
    CHECK(shared.root().items[0] == shared.root().items[1]);
    CHECK(read_pickle("K\x01r\x00\x01\x00\x00j\x00\x01\x00\x00\x86."s).root().items.size() == 2);
    CHECK(read_pickle("K\x01\x94h\x00\x86."s).root().items[1]->integer == 1);
    CHECK(read_pickle("K\x01"s + "2\x86.").root().items[1]->integer == 1);
    CHECK(read_pickle("K\x01K\x02"s + "0.").root().integer == 1);
    CHECK(read_pickle("K\x01(K\x02K\x03"s + "1.").root().integer == 1);
    const auto itself = read_pickle("]q\x01h\x01"s + "a.");
    CHECK(itself.root().items[0] == &itself.root());
    CHECK(read_pickle("\x95\x00\x00\x00\x00\x00\x00\x00\x00N."s).root().kind == pickle::Kind::none);
}

TEST_CASE("names, calls and references of a pickle become values that say so", "[io]")
{
    CHECK(read_pickle("cshop\nitem\n.").root().is_global("shop item"));
    CHECK(read_pickle("\x8c\x04shop\x8c\x04item\x93.").root().is_global("shop item"));
    const auto object = read_pickle("cshop\nitem\nK\x07\x85R}U\x01"s + "aK\x01sb](K\x01"s + "e0K\x02"s + "a.");
    REQUIRE(object.root().kind == pickle::Kind::object);
    CHECK(object.root().callee->is_global("shop item"));
    CHECK(object.root().arguments->items[0]->integer == 7);
    REQUIRE(object.root().state != nullptr);
    CHECK(object.root().state->find("a")->integer == 1);
    CHECK(object.root().items[0]->integer == 2);
    const auto made = read_pickle("cshop\nitem\n)\x81U\x01"s + "aK\x01s.");
    CHECK(made.root().find("a")->integer == 1);
    const auto reference = read_pickle("U\x01zQ.");
    CHECK(reference.root().kind == pickle::Kind::persistent);
    CHECK(reference.root().arguments->is_string("z"));
}

TEST_CASE("bytes that Python 3 writes as text are bytes", "[io]")
{
    const auto bytes =
        read_pickle("c_codecs\nencode\nX\x05\x00\x00\x00"s + "a\xc3\xbc\xc2\x80X\x06\x00\x00\x00latin1\x86R."s);
    CHECK(bytes.root().kind == pickle::Kind::bytes);
    CHECK(bytes.root().text == "a\xfc\x80");
    refuse_pickle("c_codecs\nencode\nX\x03\x00\x00\x00\xe2\x82\xacX\x06\x00\x00\x00latin1\x86R."s,
                  "stands for no bytes");
    refuse_pickle("c_codecs\nencode\nX\x01\x00\x00\x00\xc3X\x06\x00\x00\x00latin1\x86R."s, "stands for no bytes");
    refuse_pickle("c_codecs\nencode\nX\x01\x00\x00\x00"s + "aX\x05\x00\x00\x00"s + "rot13\x86R.", "other than latin1");
    refuse_pickle("c_codecs\nencode\nK\x01\x85R.", "other than latin1");
}

TEST_CASE("a pickle that wants to run something is refused by its name", "[io]")
{
    refuse_pickle("cposix\nsystem\nU\x04true\x85R.", "'posix.system'");
    refuse_pickle("c__builtin__\neval\n.", "'__builtin__.eval'");
    refuse_pickle("\x8c\x05posix\x8c\x06system\x93.", "'posix.system'");
    refuse_pickle("(iposix\nsystem\n.", "instruction 105");
    refuse_pickle("cshop item\n\n.", "'shop item.'");
}

TEST_CASE("damaged pickles are refused", "[io]")
{
    check_refused([] { pickle::read("", allowed, "empty.pickle"); }, {"empty.pickle", "cut off"});
    check_refused([] { pickle::read("(dp0\n.", allowed, "old.pickle"); }, {"old.pickle", "protocol 2 or newer"});
    check_refused([] { pickle::read("\x80\x01N.", allowed, "one.pickle"); }, {"one.pickle", "protocol 1"});
    check_refused([] { pickle::read("\x80\x06N.", allowed, "six.pickle"); }, {"six.pickle", "protocol 6"});
    refuse_pickle("\x80\x02N.", "protocol 2");
    refuse_pickle("", "cut off");
    refuse_pickle("J\x01", "cut off");
    refuse_pickle("T\xff\xff\xff\xffhi.", "cut off");
    refuse_pickle("\x8d\xff\xff\xff\xff\xff\xff\xff\xffhi.", "cut off");
    refuse_pickle("cshop", "cut off");
    refuse_pickle("\x8a\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01.", "more than 64 bits");
    refuse_pickle("N.N", "bytes after its end");
    refuse_pickle("NN.", "does not use");
    refuse_pickle("(N.", "does not use");
    refuse_pickle(".", "more values than it made");
    refuse_pickle("t.", "more values than it made");
    refuse_pickle("K\x01\x86.", "more values than it made");
    refuse_pickle("h\x01.", "did not keep");
    refuse_pickle("NNa.", "not a list");
    refuse_pickle("NNNs.", "not a dict");
    refuse_pickle("}(Nu.", "not a dict");
    refuse_pickle("K\x01)R.", "calls something that is not a name");
    refuse_pickle("cshop\nitem\nNR.", "calls something that is not a name");
    refuse_pickle("NNb.", "state");
    refuse_pickle("cshop\nitem\n)RNbNb.", "state");
    refuse_pickle("NN\x93.", "not text");
    refuse_pickle("\xff.", "instruction 255");
}

TEST_CASE("numpy arrays that do not add up are refused", "[io]")
{
    // (1, shape, dtype, order, bytes) as the state of numpy's _reconstruct.
    const auto array =
        [](const std::string& shape, const std::string& type, const std::string& order, const std::string& data)
    {
        const std::string made = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01"s + "b\x87R";
        const std::string dtype = "cnumpy\ndtype\nU"s + static_cast<char>(type.size()) + type + "K\x00K\x01\x87R"s;
        const auto document = pickle::read("\x80\x02"s + made + "(K\x01" + shape + dtype + order + data + "tb.",
                                           pickle::numpy_globals(), "array");
        return pickle::numpy_array(document.root(), "array");
    };
    const std::string row_order = "\x89";
    const std::string six =
        "U\x06"
        "abcdef";
    const auto good = array("K\x02K\x03\x86", "u1", row_order, six);
    CHECK(good.type == "u1");
    CHECK(good.shape == std::vector<std::size_t>{2, 3});
    CHECK(good.bytes == "abcdef");
    CHECK(array("K\x02K\x03\x86", "u1", "\x88", six).bytes == "acebdf");
    CHECK(array("K\x03\x85", "u2", "\x88", six).bytes == "abcdef");
    CHECK(array("K\x00\x85"s, "f8", row_order, "U\x00"s).bytes.empty());

    const auto refuse_array = [&](const std::string& shape, const std::string& type, const std::string& order,
                                  const std::string& data, const std::string& part) {
        check_refused([&] { array(shape, type, order, data); }, {"array: ", part, "numpy array was expected"});
    };
    refuse_array("K\x02K\x02\x86", "u1", row_order, six, "do not match the shape");
    refuse_array("K\x02K\x07\x86", "u1", row_order, six, "impossible shape");
    refuse_array("J\xff\xff\xff\xffK\x07\x86", "u1", row_order, six, "impossible shape");
    refuse_array("U\x01x\x85", "u1", row_order, six, "impossible shape");
    refuse_array("K\x06\x85", "O", row_order, six, "element type");
    refuse_array("K\x06\x85", "u0", row_order, six, "element type");
    refuse_array("K\x06\x85", "u1", row_order, "K\x01", "no data");
    refuse_array("K\x01K\x02K\x03\x87", "u1", "\x88", six, "two dimensions in column order");
    const auto refuse_value = [](const std::string& instructions, const std::string& part)
    {
        const auto document = pickle::read("\x80\x02"s + instructions, pickle::numpy_globals(), "array");
        check_refused([&] { pickle::numpy_array(document.root(), "array"); }, {"array: ", part});
    };
    refuse_value("K\x01.", "something else");
    refuse_value("cnumpy.core.multiarray\n_reconstruct\n)R.", "something else");
    refuse_value("cnumpy.core.multiarray\n_reconstruct\n)R)b.", "incomplete");
    refuse_value("cnumpy.core.numeric\n_frombuffer\n)R.", "incomplete");
    refuse_value(
        "cnumpy.core.numeric\n_frombuffer\n(U\x01xK\x01K\x01\x85U\x01"
        "CtR.",
        "no element type");
}
