#pragma once

#include <torch/types.h>

#include <memory>

namespace paws::train
{
/// Takes a device's work down once, to do it again as often as wanted without launching its pieces one by one.
class GraphRecorder
{
public:
    virtual ~GraphRecorder() = default;

    /// From enter() to leave() this thread's work goes to a stream of the recorder's own, behind what was launched
    /// before; what is launched after leave() comes behind it. The other functions are called in between.
    virtual void enter() = 0;
    virtual void leave() = 0;

    /// From begin() to end() work is taken down and not done. Tensors that it makes lie in memory that stays its own.
    /// Throws what LibTorch throws where something cannot be taken down, as a wait for the device.
    virtual void begin() = 0;
    virtual void end() = 0;
    virtual void replay() = 0;
    /// Forgets what has been taken down, or what was begun.
    virtual void drop() = 0;
};

/// Null for devices that cannot, and in a build without CUDA.
std::unique_ptr<GraphRecorder> make_graph_recorder(torch::Device device);
}  // namespace paws::train
