#!/usr/bin/python3
"""The update of wide_resnet28w2 by SGD under LARS; the peer of bench_optimizer."""

from common import Peer, main, torch
from model import WideResNet

MOMENTUM, WEIGHT_DECAY, TRUST, EPSILON = 0.9, 1e-6, 0.001, 1e-8


def adapting(name):
    """Whether LARS scales this parameter's update: not for biases and batch norms."""
    return "bias" not in name and "bn" not in name


class LarsSgd:
    """Tensor after tensor: m = momentum m - rate d, p = p + m, where d = (g + w p) trust |p| / (|g| + w |p| + epsilon).

    Without adaptation d = g: the published settings give those tensors no weight decay.
    """

    def __init__(self, named_parameters):
        named_parameters = list(named_parameters)
        self.parameters = [parameter for _, parameter in named_parameters]
        self.adapt = [adapting(name) for name, _ in named_parameters]
        self.param_groups = [{"params": self.parameters}]  # where a GradScaler looks for gradients
        self.momenta = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self, rate):
        for parameter, momentum, adapt in zip(self.parameters, self.momenta, self.adapt):
            update = parameter.grad
            if adapt:
                length, grad_length = parameter.norm(), update.norm()
                if length != 0 and grad_length != 0:
                    scale = TRUST * length / (grad_length + WEIGHT_DECAY * length + EPSILON)
                    update = update.add(parameter, alpha=WEIGHT_DECAY).mul_(scale)
            momentum.mul_(MOMENTUM).add_(update, alpha=-rate)
            parameter.add_(momentum)

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None


class ForeachLarsSgd(LarsSgd):
    """The same over lists of tensors."""

    @torch.no_grad()
    def step(self, rate):
        updates = [parameter.grad for parameter in self.parameters]
        chosen = [i for i, adapt in enumerate(self.adapt) if adapt]
        parameters, grads = [self.parameters[i] for i in chosen], [updates[i] for i in chosen]
        length, grad_length = torch.stack(torch._foreach_norm(parameters) + torch._foreach_norm(grads)).view(2, -1)
        scale = TRUST * length / (grad_length + WEIGHT_DECAY * length + EPSILON)
        either_zero = (length == 0) | (grad_length == 0)
        decay = torch.where(either_zero, 0.0, WEIGHT_DECAY).tolist()
        scaled = torch._foreach_mul(parameters, decay)
        torch._foreach_add_(scaled, grads)
        torch._foreach_mul_(scaled, scale.masked_fill_(either_zero, 1).tolist())
        for i, update in zip(chosen, scaled):
            updates[i] = update
        torch._foreach_mul_(self.momenta, MOMENTUM)
        torch._foreach_add_(self.momenta, updates, alpha=-rate)
        torch._foreach_add_(self.parameters, self.momenta)


def update(optimizer_type):
    model = WideResNet()
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer = optimizer_type(model.named_parameters())
    return lambda: optimizer.step(0.1)


if __name__ == "__main__":
    tensors = len(list(WideResNet().parameters()))
    peer = Peer(tensors, shipped=lambda: update(LarsSgd), tuned=lambda: update(ForeachLarsSgd))
    main({"wide_resnet28w2": peer}, __doc__)
