from torch import Tensor, nn


class MyModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 5)
        self.act = nn.Sigmoid()
        self.fc2 = nn.Linear(5, 10)
        self.fc3 = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, 2] -> [*, 3]"""
        x = self.act(self.fc1(x))
        x = self.act(self.fc2(x))
        x = self.act(self.fc3(x))
        return x
