"""Writes elements.safetensors: every element type that is read, by the safetensors package.

Tensors "x" and "x.single" belong together: the second is what torch makes of the first in single precision.
Needs torch and safetensors; run in this folder.
"""

import torch
from safetensors.torch import save_file

# Every 257th pattern of 16 bits: zeros, subnormals, infinities and NaN of both signs are among them.
patterns = torch.arange(0, 65536, 257, dtype=torch.int32).to(torch.int16)
generator = torch.Generator().manual_seed(7)
wide = torch.randn(64, dtype=torch.float64, generator=generator) * 10.0 ** torch.arange(-48, 16, dtype=torch.float64)
wide = torch.cat([wide, torch.tensor([0.0, -0.0, 1e300, -1e300, 2**-149, 2**-150, 1 + 2**-24, 1 + 3 * 2**-24])])

tensors = {"float16": patterns.view(torch.float16), "bfloat16": patterns.clone().view(torch.bfloat16), "float64": wide}
tensors |= {name + ".single": tensor.to(torch.float32) for name, tensor in tensors.items()}
tensors["scalar"] = torch.tensor(2.5)
tensors["empty"] = torch.zeros(3, 0, 2)
tensors["cube"] = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
tensors["unsigned64"] = torch.tensor([0, 1, 2**63 - 1], dtype=torch.uint64)
tensors["bool"] = torch.tensor([True, False, True])
save_file(tensors, "elements.safetensors", metadata={"made by": "safetensors", "é": "日本\n"})
