#include "src/comm/communicator.hpp"

#include <torch/types.h>

#include <algorithm>
#include <cstring>

namespace paws::comm
{
namespace
{
class Done final : public Pending
{
public:
    bool poll() override { return true; }
    void wait() override {}
};

class SingleRank final : public Communicator
{
public:
    int rank() const override { return 0; }
    int world_size() const override { return 1; }
    void all_reduce(const torch::Tensor&) override {}
    std::unique_ptr<Pending> start_all_reduce(const torch::Tensor&) override { return std::make_unique<Done>(); }
    torch::Tensor all_gather(const torch::Tensor& values) override { return values; }
    torch::Tensor reduce_scatter(const torch::Tensor& values) override { return values; }
    void broadcast(const torch::Tensor&, int) override {}
    void barrier() override {}
    double seconds_waiting() const override { return 0; }
};

/// Texts travel as int64 words, the one integer type that all communicators carry, behind their length in bytes.
torch::Tensor words_of(const std::string& text, std::int64_t bytes)
{
    const auto words = torch::zeros({(bytes + 7) / 8 + 1}, torch::kInt64);
    auto* const data = words.data_ptr<std::int64_t>();
    data[0] = static_cast<std::int64_t>(text.size());
    std::memcpy(data + 1, text.data(), std::min(text.size(), static_cast<std::size_t>(bytes)));
    return words;
}

std::string text_of(const std::int64_t* words)
{
    return {reinterpret_cast<const char*>(words + 1), static_cast<std::size_t>(words[0])};
}

std::int64_t longest(Communicator& communicator, const std::string& text)
{
    const auto sizes = communicator.all_gather(torch::tensor({static_cast<std::int64_t>(text.size())}, torch::kInt64));
    return sizes.max().item<std::int64_t>();
}
}  // namespace

std::shared_ptr<Communicator> make_single_rank()
{
    return std::make_shared<SingleRank>();
}

std::string broadcast_text(Communicator& communicator, const std::string& text, int root)
{
    const auto words = words_of(text, longest(communicator, text));
    communicator.broadcast(words, root);
    return text_of(words.data_ptr<std::int64_t>());
}

std::vector<std::string> gather_texts(Communicator& communicator, const std::string& text)
{
    const auto words = words_of(text, longest(communicator, text));
    const auto all = communicator.all_gather(words);
    std::vector<std::string> texts;
    for (std::int64_t begin = 0; begin < all.numel(); begin += words.numel())
    {
        texts.push_back(text_of(all.data_ptr<std::int64_t>() + begin));
    }
    return texts;
}
}  // namespace paws::comm
