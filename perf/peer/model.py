"""wide_resnet28w2 with the projection head, and resnet50 with both heads: the networks of src/nn."""

from common import torch
from torch import nn


def convolution(channels, width, kernel, stride=1):
    return nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2)


def projection_head(channels, output_dim):
    head = nn.Sequential()
    for layer in (1, 2):
        head.add_module(f"fc{layer}", nn.Linear(channels, channels))
        head.add_module(f"bn{layer}", nn.BatchNorm1d(channels))
        head.add_module(f"relu{layer}", nn.ReLU(inplace=True))
    head.add_module("fc3", nn.Linear(channels, output_dim))
    return head


class WideBlock(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = convolution(channels, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride)
        same = stride == 1 and channels == width
        self.shortcut = nn.Identity() if same else convolution(channels, width, 1, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv1(self.relu(self.bn1(x)))
        return self.conv2(self.relu(self.bn2(y))) + self.shortcut(x)


class WideResNet(nn.Module):
    """Images [N, 3, S, S] to embeddings [N, output_dim]."""

    def __init__(self, depth=28, widen=2, output_dim=128):
        super().__init__()
        channels, blocks = 16, []
        self.conv1 = convolution(3, channels, 3)
        for stage in range(3):
            for block in range((depth - 4) // 6):
                width = widen * 16 << stage
                blocks.append(WideBlock(channels, width, stride=2 if stage > 0 and block == 0 else 1))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.bn1 = nn.BatchNorm2d(channels, momentum=0.99)
        self.fc = projection_head(channels, output_dim)

    def forward(self, images):
        x = torch.relu_(self.bn1(self.blocks(self.conv1(images))))
        return self.fc(x.mean(dim=(2, 3)))


class ResNet50(nn.Module):
    """Images [N, 3, S, S] to embeddings [N, output_dim]; `pred` makes anchors of them."""

    def __init__(self, output_dim=2048):
        super().__init__()
        from torchvision.models import resnet50

        self.backbone = resnet50()
        channels = self.backbone.fc.in_features
        self.backbone.fc = nn.Identity()
        self.fc = projection_head(channels, output_dim)
        self.pred = nn.Sequential(
            nn.BatchNorm1d(output_dim),
            nn.Linear(output_dim, output_dim // 4),
            nn.BatchNorm1d(output_dim // 4),
            nn.ReLU(inplace=True),
            nn.Linear(output_dim // 4, output_dim),
        )

    def forward(self, images):
        return self.fc(self.backbone(images))
