#include "src/comm/communicator.hpp"

#include <torch/types.h>

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
    void all_reduce(const at::Tensor&) override {}
    std::unique_ptr<Pending> start_all_reduce(const at::Tensor&) override { return std::make_unique<Done>(); }
    at::Tensor all_gather(const at::Tensor& values) override { return values; }
    at::Tensor reduce_scatter(const at::Tensor& values) override { return values; }
    void broadcast(const at::Tensor&, int) override {}
    void barrier() override {}
    double seconds_waiting() const override { return 0; }
};
}  // namespace

std::shared_ptr<Communicator> make_single_rank()
{
    return std::make_shared<SingleRank>();
}
}  // namespace paws::comm
