"""Ten steps of PyTorch's optimizers on a fixed quadratic, for tests/optim.rs.

    pip install torch==2.15.0 && python tests/pytorch/optim.py > tests/pytorch/optim.json

The gradient is written out (grad = a * p + b * t, with the step t from 0), so that a trace tests the update rule alone.
All in double precision.
"""

import json

import torch

P = [0.5, -1.25, 2.0, 0.0, -0.03125]
A = [1.0, 0.25, -0.5, 3.0, 10.0]
B = [0.1, -0.2, 0.3, -0.05, 0.0]
STEPS = 10

CASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "sgd_decay": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=5e-4),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-2),
    "adam_decay": lambda p: torch.optim.Adam(p, lr=1e-2, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2),
    "adamw_decay": lambda p: torch.optim.AdamW(p, lr=1e-2, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
}


def trace(make):
    p = torch.nn.Parameter(torch.tensor(P, dtype=torch.float64))
    a, b = torch.tensor(A, dtype=torch.float64), torch.tensor(B, dtype=torch.float64)
    optimizer = make([p])
    rows = []
    for t in range(STEPS):
        p.grad = a * p.detach() + b * t
        optimizer.step()
        rows.append(p.detach().tolist())
    return rows


print(json.dumps({
    "torch": torch.__version__, "params": P, "a": A, "b": B,
    "traces": {name: trace(make) for name, make in CASES.items()},
}, indent=1))
