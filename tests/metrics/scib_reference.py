"""Writes scib_reference.json: what scib-metrics says of a small example.

scib-metrics brings jax and pins an older pandas, so it lives in an environment of its own:

    python -m venv oracle && oracle/bin/pip install scib-metrics
    JAX_ENABLE_X64=1 oracle/bin/python tests/metrics/scib_reference.py
"""

import json
from pathlib import Path

import numpy as np

TARGET = Path(__file__).with_name("scib_reference.json")


def example() -> tuple[np.ndarray, np.ndarray]:
    """80 points on folded waves in 3 batches, in closed form; the first batch is shifted."""
    rows = np.arange(80.0)
    X = np.sin(np.outer(rows**1.5, [1.0, 2.0, 3.0])) * [1.0, 5.0, 2.0]
    batches = (rows * rows).astype(int) % 7 % 3
    X[batches == 0] += 2.5
    return X, batches


def main() -> None:
    import scib_metrics
    from scib_metrics.nearest_neighbors import NeighborsResults

    X, batches = example()
    distances = np.linalg.norm(X[:, None] - X[None], axis=2)
    indices = np.argsort(distances, axis=1, kind="stable")
    result: dict[str, object] = {"scib_metrics": scib_metrics.__version__}
    for n_neighbors in (16, 31):
        nearest = indices[:, :n_neighbors]
        neighbors = NeighborsResults(
            indices=nearest, distances=np.take_along_axis(distances, nearest, axis=1)
        )
        acceptance, statistics, p_values = scib_metrics.kbet(neighbors, batches)
        result[str(n_neighbors)] = {
            "lisi": np.asarray(scib_metrics.lisi_knn(neighbors, batches), float).tolist(),
            "ilisi": float(scib_metrics.ilisi_knn(neighbors, batches)),
            "kbet": float(acceptance),
            "kbet_statistics": np.asarray(statistics, float).tolist(),
            "kbet_p_values": np.asarray(p_values, float).tolist(),
        }
    TARGET.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
