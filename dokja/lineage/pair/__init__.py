"""What is asked of a pair: one component of a submission against the same of one reference.

It begins at `gathering`, which goes through the weights once and feeds the tests by labels:

- `pairing` says which groups are held against which, `places` tests those at the same place (`labels`, `traces`,
  `order`, `turned`), `searching` each with its best partner anywhere (`layers`);
- `channels` tests the residual axis (`labels`, `matched`), `squares` matrices from an axis to itself, `heads` the
  products of attention heads (`products`);
- `rows` says which rows of two vocabularies are held against each other, by number and by word.

`anchoring` asks what no relabelling changes (T3): `answers` to shared words, by the `longest` neurons, of the
`candidates` that a layer may come from. All that was found is `evidence`; words come after it, in `judging`.
"""
