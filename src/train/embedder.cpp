#include "src/train/embedder.hpp"

namespace paws::train
{
namespace
{
torch::Device device_of(const nn::Encoder& encoder)
{
    return encoder.parameters().front().device();
}

std::vector<torch::Tensor> outputs_of(nn::Encoder& encoder, const torch::Tensor& views,
                                      const std::vector<nn::Embedding>& which, device::Precision precision)
{
    const torch::NoGradGuard no_gradient;
    const device::AutocastScope autocast(precision, views.device());
    auto outputs = encoder.embed_as(views.to(device::storage_type(precision)), which);
    for (auto& output : outputs)
    {
        output = output.to(torch::kFloat32).cpu();
    }
    return outputs;
}
}  // namespace

Embedder::Embedder(nn::Encoder& encoder, const data::Images& images, std::vector<std::int64_t> rows,
                   const config::Config& config, std::vector<nn::Embedding> which, device::Precision precision)
    : evaluation_(encoder),
      encoder_(encoder),
      which_(std::move(which)),
      precision_(precision),
      loader_(images, config, std::move(rows), device_of(encoder))
{
}

std::optional<std::vector<torch::Tensor>> Embedder::next()
{
    const auto views = loader_.next();
    return views ? std::optional(outputs_of(encoder_, *views, which_, precision_)) : std::nullopt;
}

std::vector<std::int64_t> output_widths(nn::Encoder& encoder, const config::Config& config,
                                        const std::vector<nn::Embedding>& which, device::Precision precision)
{
    const EvaluationScope evaluation(encoder);
    const auto side = config.data.eval_crop_size;
    std::vector<std::int64_t> widths;
    const auto view = torch::zeros({1, 3, side, side}, device_of(encoder));
    for (const auto& output : outputs_of(encoder, view, which, precision))
    {
        widths.push_back(output.size(1));
    }
    return widths;
}

torch::Tensor embed(nn::Encoder& encoder, const data::Images& images, const std::vector<std::int64_t>& rows,
                    const config::Config& config, nn::Embedding which, device::Precision precision,
                    const EmbedProgress& progress)
{
    std::vector<torch::Tensor> parts;
    Embedder embedder(encoder, images, rows, config, {which}, precision);
    while (const auto outputs = embedder.next())
    {
        parts.push_back(outputs->front());
        if (progress)
        {
            progress(parts.back().size(0));
        }
    }
    return torch::cat(parts);
}

std::vector<std::int64_t> rows_of_rank(const std::vector<std::int64_t>& rows, const comm::Communicator& communicator)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto begin = [&](std::int64_t rank) { return rows.begin() + count * rank / communicator.world_size(); };
    return {begin(communicator.rank()), begin(communicator.rank() + 1)};
}

torch::Tensor embed_together(nn::Encoder& encoder, const data::Images& images, const std::vector<std::int64_t>& rows,
                             const config::Config& config, nn::Embedding which, device::Precision precision,
                             comm::Communicator& communicator, const EmbedProgress& progress)
{
    if (communicator.is_alone())
    {
        return embed(encoder, images, rows, config, which, precision, progress);
    }
    const auto mine = rows_of_rank(rows, communicator);
    // Ranks may have a row more or less, or none when there are few: what is gathered has one length for all, and a
    // column that says which rows are there.
    const auto most =
        (static_cast<std::int64_t>(rows.size()) + communicator.world_size() - 1) / communicator.world_size();
    const auto embedded =
        mine.empty() ? torch::Tensor() : embed(encoder, images, mine, config, which, precision, progress);
    const auto width = torch::tensor({embedded.defined() ? embedded.size(1) : std::int64_t{0}}, torch::kInt64);
    const auto dims = communicator.all_gather(width).max().item<std::int64_t>();
    const auto padded = torch::zeros({most, dims + 1});
    if (embedded.defined())
    {
        auto part = padded.narrow(0, 0, embedded.size(0));
        part.narrow(1, 0, dims).copy_(embedded);
        part.narrow(1, dims, 1).fill_(1);
    }
    const auto all = communicator.all_gather(padded);
    return all.index({all.select(1, dims) == 1}).narrow(1, 0, dims).contiguous();
}
}  // namespace paws::train
