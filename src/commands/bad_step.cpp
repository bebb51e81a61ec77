#include "src/commands/bad_step.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/files/atomic_file.hpp"

namespace paws::commands
{
void write_bad_step(const std::filesystem::path& path, const train::NotFinite& failure,
                    comm::Communicator& communicator)
{
    const auto of_ranks = communicator.group().gather_texts(nlohmann::json(failure.rows()).dump());
    if (communicator.rank() != 0)
    {
        return;
    }
    nlohmann::json content{
        {"epoch", failure.epoch() + 1}, {"step", failure.step()}, {"ranks", nlohmann::json::array()}};
    for (const auto& rows : of_ranks)
    {
        content["ranks"].push_back(nlohmann::json::parse(rows));
    }
    try
    {
        io::write_atomically(path, {content.dump(), "\n"});
        io::say_error(fmt::format("the positions of the step's images in the training split are in {}\n",
                                  io::printable(path.string())));
    }
    catch (const io::Error&)
    {
    }
}
}  // namespace paws::commands
