"""The whole database against its log: what `verify`, `export` and `proof` do with a book's rows.

Everything is recomputed here from the rows of one snapshot; nothing that the database says of itself is taken
on trust but what it is asked for. What is read in bulk is compared in bulk (`portions`, `fast_rows`); where
anything differs, the same rows are read again one by one (`rows`) to say in words which is the first bad one.

- `fault`: what is raised, naming the first bad position or row
- `portions`, `fast_rows`, `stream_heads`: the log in position order, read ahead, in bounded memory
- `rows`, `row_check`: single rows, and what is wrong with one
- `nodes`, `heads`: the Merkle tree and its signed heads
- `standing`, `standing_file`: how far a pass has come, kept so that it can be taken up again
- `audit`: the pass itself
- `bundle_rows`, `contract_rows`: what a bundle or a contract's proof is made of
"""
