"""Compares embeddings: what is measured, what is significant, what to recommend.

For anybody's embeddings `benchmark.Benchmark` does it all. `songscape compare` uses its parts:

- `targets.Targets`: labels, nuisances, artists, groups; `Targets.from_columns` sorts a table.
- `number_of_clusters.number_of_clusters`, `measure.measure`: one space and one seed -> rows,
  samples and partitions under the keys of `keys`.
- `evidence.Evidence.of`: the seeds of one model together; `evidence.tidy_table` its rows.
- `benchmark.evaluate`: evidence of all models -> table, summary, differences.
- `benchmark.setup_of`, `recommendation.assess`: those tables, computed or read back -> verdicts
  and a recommendation, as the types of `verdicts`.
- `wording`: these types -> sentences.
"""
