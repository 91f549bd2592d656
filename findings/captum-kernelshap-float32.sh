#!/usr/bin/env bash
# Guess: KernelSHAP of a sum is exact, since its regression fits a linear function without error: 64 equal groups of
#        inputs get 1/64 of the difference each, to float32 rounding (1e-7), on every processor.
# Truth: captum solves the regression in float32, while the empty and the full coalition weigh a million times as much
#        as the others. Shares are wrong by about 1e-4 of their value, and by how much depends on the kernels that
#        OpenBLAS chose for the processor. The same regression in float64 is right to 1e-7 on all of them.
# Versions: captum 0.9.0, torch 2.13.0, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, Python 3.11, x86-64.
# Output seen (relative error of the worst share):
#   Haswell    float32 1.7e-04   float64 0.0e+00
#   SkylakeX   float32 1.2e-04   float64 0.0e+00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
  captum==0.9.0 torch==2.13.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1

cat > "$folder/shares.py" <<'PY'
import os
import torch
from captum.attr import KernelShap
from sklearn.linear_model import LinearRegression


class InFloat64:
    def fit(self, batches):
        sets, values, weights = (torch.cat(part).double().numpy() for part in zip(*batches))
        self.coefficients = LinearRegression().fit(sets, values, sample_weight=weights).coef_

    def representation(self):
        return torch.from_numpy(self.coefficients)[None]


def worst(wide):
    torch.manual_seed(0)
    x = torch.ones(1, 1536)
    groups = (torch.arange(1536) // 24)[None]
    method = KernelShap(lambda items: items.sum(1))
    if wide:
        method.interpretable_model = InFloat64()
    shares = method.attribute(x, torch.zeros_like(x), feature_mask=groups, n_samples=200, perturbations_per_eval=50)
    return float((shares / 24 - 1).abs().max())


narrow, wide = worst(False), worst(True)
print(f"{os.environ['OPENBLAS_CORETYPE']:<10} float32 {narrow:.1e}   float64 {wide:.1e}")
assert narrow > 3e-6 and wide < 1e-6, "captum behaves otherwise now"
PY

for kernel in Haswell SkylakeX; do
  OPENBLAS_CORETYPE=$kernel "$folder/venv/bin/python" "$folder/shares.py"
done
